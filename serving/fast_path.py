"""Call some endpoints without the router, which costs as much time as the model."""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

Endpoint = Callable[[Request], Awaitable[Response]]
Handler = Callable[[Request, Exception], Awaitable[Response]]


class FastPath:
    """Middleware before the router. Errors of the given classes become responses, as in the router."""

    def __init__(
        self, application: ASGIApp, endpoints: Mapping[str, Endpoint], error_handlers: Mapping[type[Exception], Handler]
    ) -> None:
        self._application, self._endpoints, self._error_handlers = application, endpoints, error_handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = self._endpoints.get(scope["path"]) if scope.get("method") == "POST" else None
        if endpoint is None:
            await self._application(scope, receive, send)
            return
        response = await self._answer(endpoint, Request(scope, receive, send))
        await response(scope, receive, send)

    async def _answer(self, endpoint: Endpoint, request: Request) -> Response:
        try:
            return await endpoint(request)
        except tuple(self._error_handlers) as error:
            handle = next(handler for kind, handler in self._error_handlers.items() if isinstance(error, kind))
            return await handle(request, error)
