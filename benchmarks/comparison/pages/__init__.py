"""The pages that all contenders read: images, and what is printed on each."""
