"""The web pages: the built front-end of `dashboard/`, as files. They reach the data by the management API only."""
