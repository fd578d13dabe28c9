"""One process per data folder that prices logs and writes them in batches, off the requests' path."""
