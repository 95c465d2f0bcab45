"""Files in: read apart from this process, placed by proof, mended aloud or refused."""
