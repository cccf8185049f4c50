"""From bytes to pages: type detection, images, PDFs, native text layers, reading order, and where sources come from."""
