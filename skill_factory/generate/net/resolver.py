"""Names of servers on a hosted instance: each address is judged first, and the judged ones are those connected to."""

import asyncio
import socket

from aiohttp.abc import AbstractResolver, ResolveResult

from skill_factory.generate.net.network import InnerAddress, is_inner, refusal_of


class PublicResolver(AbstractResolver):
    """
    Gives aiohttp the addresses of a name only where all of them are public.

    aiohttp connects to exactly what it is given here, under the certificate of the name, so there is no moment in
    which the name could turn to another address.
    """

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a name. Errors: InnerAddress where one of them is inside, OSError for an unknown name."""
        addresses = await self.look_up(host, port, family)
        # aiohttp tries the addresses in turn, so a single inner one could be the one that answers.
        if not addresses or any(is_inner(address) for _, address in addresses):
            raise InnerAddress(refusal_of(host))
        # Numeric, so that nobody looks the name up again.
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST
            )
            for family, address in addresses
        ]

    async def look_up(
        self, host: str, port: int, family: socket.AddressFamily
    ) -> list[tuple[socket.AddressFamily, str]]:
        """Family and address of all that the system's resolver knows of a name. Errors: OSError."""
        loop = asyncio.get_running_loop()
        rows = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
        return [(family, str(address[0])) for family, _, _, _, address in rows]

    async def close(self) -> None:
        """Nothing is held open."""
