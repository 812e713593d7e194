"""What a change does: this working tree beside another commit, for those who are to agree to it."""
