"""The peer: a HealthChain service that answers order-sign and knows no rules. Run with the peer's own Python."""

from __future__ import annotations

import sys

import uvicorn
from healthchain.gateway import CDSHooksService, HealthChainAPI
from healthchain.models.requests.cdsrequest import CDSRequest
from healthchain.models.responses.cdsresponse import CDSResponse

service = CDSHooksService()


@service.hook("order-sign", id="order-sign")
def answer(_: CDSRequest) -> CDSResponse:
    """Answer that there is nothing to say."""
    return CDSResponse(cards=[])


app = HealthChainAPI()
app.register_service(service)

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=False, log_level="warning")
