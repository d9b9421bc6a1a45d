<?php

declare(strict_types=1);

namespace Torii\Tests;

use Nyholm\Psr7\Factory\Psr17Factory;
use Psr\Http\Message\ResponseInterface;
use Psr\Http\Message\ServerRequestInterface;
use Psr\Http\Server\RequestHandlerInterface;
use Torii\Exception\PolicyException;
use Torii\Exception\TokenException;
use Torii\Middleware;
use Torii\Requirement;
use Torii\Requirements;
use Torii\Verifier;

/** The API of the middleware, which adapters.json does not cover. */
final class MiddlewareTest extends EmulatorTestCase implements RequestHandlerInterface
{
    private Psr17Factory $factory;

    /** @var ?callable(ServerRequestInterface): ResponseInterface */
    private mixed $handler = null;

    protected function setUp(): void
    {
        parent::setUp();
        $this->factory = new Psr17Factory();
    }

    public function handle(ServerRequestInterface $request): ResponseInterface
    {
        return $this->handler === null ? $this->factory->createResponse() : ($this->handler)($request);
    }

    public function testRequirementsNeedCredentials(): void
    {
        $requirements = new Requirements([Requirement::EmailVerified]);
        $middleware = $this->middleware(optional: true, requirements: $requirements, skip: ['/health']);
        $response = $middleware->process($this->factory->createServerRequest('GET', '/'), $this);
        self::assertSame([401, 'Bearer realm="torii"'], [
            $response->getStatusCode(),
            $response->getHeaderLine('WWW-Authenticate'),
        ]);
        $response = $middleware->process($this->factory->createServerRequest('GET', '/health?a=b'), $this);
        self::assertSame(200, $response->getStatusCode());
    }

    public function testAnIdentityFromBeforeDoesNotStay(): void
    {
        $this->handler = function (ServerRequestInterface $request): ResponseInterface {
            self::assertNull($request->getAttribute(Middleware::ATTRIBUTE, 'absent'));
            return $this->factory->createResponse(204);
        };
        $request = $this->factory->createServerRequest('GET', '/')->withAttribute(Middleware::ATTRIBUTE, 'ada');
        self::assertSame(204, $this->middleware(optional: true)->process($request, $this)->getStatusCode());
    }

    public function testErrorsOfTheHandlerAreItsOwn(): void
    {
        $this->handler = static fn () => throw new PolicyException('mine');
        $request = $this->factory->createServerRequest('GET', '/');
        self::thrown(PolicyException::class, fn () => $this->middleware(optional: true)->process($request, $this));
    }

    public function testTheAnswerToAnException(): void
    {
        $verifier = new Verifier($this->issuer);
        $e = self::thrown(TokenException::class, static fn () => $verifier->authenticate('Bearer x'));
        $response = Middleware::answer($e, $this->factory->createResponse());
        self::assertSame(
            [401, 'no-store', 'Bearer realm="torii", error="invalid_token"'],
            [$response->getStatusCode(), $response->getHeaderLine('Cache-Control'),
                $response->getHeaderLine('WWW-Authenticate')],
        );
        self::assertSame(
            ['error' => ['code' => 'authentication_failed', 'message' => $e->publicMessage]],
            json_decode((string) $response->getBody(), true),
        );
    }

    private function middleware(mixed ...$options): Middleware
    {
        return new Middleware(new Verifier($this->issuer), $this->factory, ...$options);
    }
}
