"""What is written on a picture? The models come with the package rapidocr; nothing is fetched."""
