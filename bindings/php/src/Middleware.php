<?php

declare(strict_types=1);

namespace Torii;

use Psr\Http\Message\ResponseFactoryInterface;
use Psr\Http\Message\ResponseInterface;
use Psr\Http\Message\ServerRequestInterface;
use Psr\Http\Server\MiddlewareInterface;
use Psr\Http\Server\RequestHandlerInterface;
use Torii\Exception\KeysUnavailableException;
use Torii\Exception\PolicyException;
use Torii\Exception\TokenException;
use Torii\Exception\ToriiException;

/**
 * PSR-15 middleware: lets requests with a valid token pass, with the Auth in the attribute "torii.auth".
 * Answers 401 without a valid token, 403 if it does not meet a requirement, 503 if the issuer's keys are
 * unavailable. Routes with requirements of their own share the verifier, and with it the token cache.
 */
final readonly class Middleware implements MiddlewareInterface
{
    /** The attribute of the request with the Auth; null for a request without an identity. */
    public const ATTRIBUTE = 'torii.auth';

    /**
     * @param string $header the header that holds "Bearer <token>"
     * @param ?string $cookie a cookie of your application that holds the token, for requests without the header
     * @param bool $optional whether requests without credentials pass, without an Auth; has no effect together
     *     with requirements
     * @param ?Requirements $requirements of these routes, in addition to the verifier's
     * @param list<string> $skip exact paths, without query, whose requests pass without an Auth
     */
    public function __construct(
        private Verifier $verifier,
        private ResponseFactoryInterface $responses,
        private string $header = 'Authorization',
        private ?string $cookie = null,
        private bool $optional = false,
        private ?Requirements $requirements = null,
        private array $skip = [],
    ) {
    }

    /** Passes a request with a valid token to the handler, and answers any other. */
    public function process(ServerRequestInterface $request, RequestHandlerInterface $handler): ResponseInterface
    {
        try {
            $auth = $this->authenticate($request);
        } catch (TokenException | PolicyException | KeysUnavailableException $e) {
            return self::answer($e, $this->responses->createResponse());
        }
        return $handler->handle($request->withAttribute(self::ATTRIBUTE, $auth));
    }

    /** Turns a response into the answer to a refused request, which does not tell the client the reason. */
    public static function answer(ToriiException $e, ResponseInterface $response): ResponseInterface
    {
        $response = $response
            ->withStatus($e->answerStatus)
            ->withHeader('Content-Type', 'application/json')
            ->withHeader('Cache-Control', 'no-store');
        if ($e->wwwAuthenticate !== null) {
            $response = $response->withHeader('WWW-Authenticate', $e->wwwAuthenticate);
        }
        if ($e->answerStatus === 503) {
            $response = $response->withHeader('Retry-After', (string) max(1, $e->retryAfter));
        }
        $error = ['code' => $e->publicCode, 'message' => $e->publicMessage];
        $response->getBody()->write(json_encode(['error' => $error], JSON_THROW_ON_ERROR));
        return $response;
    }

    private function authenticate(ServerRequestInterface $request): ?Auth
    {
        if (in_array($request->getUri()->getPath(), $this->skip, true)) {
            return null;
        }
        $header = implode(', ', $request->getHeader($this->header));
        if (!self::isBlank($header)) {
            return $this->verifier->authenticate($header, $this->requirements);
        }
        $cookies = implode('; ', $request->getHeader('Cookie'));
        $token = $this->cookie === null ? '' : self::cookie($cookies, $this->cookie);
        if (self::isBlank($token)) {
            $token = '';
            if ($this->optional && $this->requirements === null) {
                return null;
            }
        }
        return $this->verifier->verify($token, $this->requirements);
    }

    /**
     * The value of a cookie, without its quotes (RFC 6265 §4.1.1). getCookieParams() would decode names and
     * values, and hide that a cookie comes twice. Then the values are joined by ", ", which no token contains.
     */
    private static function cookie(string $header, string $name): string
    {
        $values = [];
        foreach (explode(';', $header) as $pair) {
            $parts = explode('=', $pair, 2);
            if (count($parts) === 2 && trim($parts[0], " \t") === $name) {
                $values[] = preg_replace('/\A"(.*)"\z/s', '$1', trim($parts[1], " \t"));
            }
        }
        return implode(', ', $values);
    }

    private static function isBlank(string $text): bool
    {
        return trim($text, " \t") === '';
    }
}
