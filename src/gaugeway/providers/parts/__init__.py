"""What providers are made of: rules for paths, what a request says, the declared provider."""
