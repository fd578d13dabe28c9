"""Behind the seam: what speaks HTTP to upstreams. The only outbound connections for inference."""
