"""What travels over the wire: discovery, hook requests, responses, feedback, and the Flask routes for them."""
