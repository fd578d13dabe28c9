"""WebSockets: universal requests over one connection, and sessions passed on to providers."""
