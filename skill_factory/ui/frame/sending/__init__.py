"""What is finished goes to the Hub: shared by all pages that publish something."""
