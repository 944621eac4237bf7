"""A believable community for development, screenshots and load."""
