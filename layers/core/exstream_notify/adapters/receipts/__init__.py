"""What providers send us, read into the one form of a receipt."""
