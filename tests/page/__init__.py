"""The panel's page in a browser, against a live session."""
