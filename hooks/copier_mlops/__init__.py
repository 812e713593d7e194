"""Standards of repositories made from this template: one repository, or a fleet of them."""
