"""Well-formed input, for every skin. No database and no side effects in a validator."""
