"""What several programs need; imports none of them."""
