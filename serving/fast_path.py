"""Lead some requests straight to who answers them: the router, which knows them too, costs as much as a model does."""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

Endpoint = Callable[[Request], Awaitable[Response]]
Handler = Callable[[Request, Exception], Awaitable[Response]]


class Direct:
    """A layer before the router. An endpoint takes the request alone; mistakes of a kind that is named are answered."""

    def __init__(
        self, application: ASGIApp, endpoints: Mapping[str, Endpoint], mistakes: Mapping[type[Exception], Handler]
    ) -> None:
        self._application, self._endpoints, self._mistakes = application, endpoints, dict(mistakes)

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
        except tuple(self._mistakes) as mistake:
            answer = next(handler for kind, handler in self._mistakes.items() if isinstance(mistake, kind))
            return await answer(request, mistake)
