"""What one simulated picture is made of, in stills and in movies alike: cells, their processes, light and optics."""
