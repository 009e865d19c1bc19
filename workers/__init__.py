"""The imperative shell, and what joins the other two."""
