"""What can a newcomer ask Xuesi on the first day? Sample study materials and the script that builds them."""
