"""The floor: what Flask and the production server cost when the answer is the question."""

from __future__ import annotations

from flask import Flask, Response, jsonify, request

app = Flask(__name__)


@app.get("/")
def ready() -> Response:
    """Say that the server is up."""
    return jsonify({})


@app.post("/echo")
def echo() -> Response:
    """Parse the body and send it back."""
    return jsonify(request.get_json())
