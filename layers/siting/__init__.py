"""Solar sites: from a plan file to ranked polygons, and how firm their ranks are.

``plan`` reads the file, with ``tables``, ``criteria``, ``uncertainty`` and ``ahp``;
``inputs`` and ``checks`` look its data over; ``sites`` searches and describes, with
``table``, ``energy``, ``setback`` and ``words``; ``ranks``, ``scenarios``, ``tornado``
and ``portfolios`` say what follows; ``files`` writes and reads it all.
"""
