"""What the pages share: Jinja, the stylesheet, tables and drawings."""
