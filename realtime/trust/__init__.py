"""What is known of files from elsewhere, and what may be done with them."""
