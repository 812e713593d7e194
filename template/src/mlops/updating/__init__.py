"""New versions of the template, brought in by a workflow."""
