"""Version of the client, which is not that of the server: they agree through version 1 of the API."""

__version__ = "0.1.0"
