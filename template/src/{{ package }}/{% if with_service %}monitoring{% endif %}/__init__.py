"""How the model does in service: the journal, the truth when it comes, and drift."""
