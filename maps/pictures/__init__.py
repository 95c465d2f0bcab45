"""Draw an exchange for print: a map as PNG, SVG or PDF, and a report on A4 pages."""
