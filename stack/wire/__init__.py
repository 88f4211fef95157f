"""Wire formats: each declared once with construct, field names as in the RFC; no logic, no state."""
