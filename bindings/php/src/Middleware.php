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

/**
 * PSR-15 middleware: lets a request through when its token is good, with the Auth in the attribute
 * "torii.auth". Answers 401 for a bad token, 403 for a good one that does not meet a requirement, and
 * 503 when the issuer's keys cannot be had.
 */
final readonly class Middleware implements MiddlewareInterface
{
    /** The attribute of the request where handlers find the Auth. */
    public const ATTRIBUTE = 'torii.auth';

    /**
     * @param string $header the header that holds "Bearer <token>"
     * @param ?string $cookie a cookie that holds the token, for requests without the header
     * @param bool $optional let requests without a token through, without an Auth
     */
    public function __construct(
        private Verifier $verifier,
        private ResponseFactoryInterface $responses,
        private string $header = 'Authorization',
        private ?string $cookie = null,
        private bool $optional = false,
    ) {
    }

    public function process(ServerRequestInterface $request, RequestHandlerInterface $handler): ResponseInterface
    {
        try {
            $auth = $this->authenticate($request);
        } catch (TokenException $e) {
            if (!$this->optional || $e->status !== 'token_missing') {
                return $this->unauthorized($e);
            }
            $auth = null;
        } catch (PolicyException $e) {
            return $this->answer(403, 'forbidden', $e->getMessage());
        } catch (KeysUnavailableException $e) {
            return $this->unavailable($e);
        }
        return $handler->handle($request->withAttribute(self::ATTRIBUTE, $auth));
    }

    private function authenticate(ServerRequestInterface $request): Auth
    {
        $header = $request->getHeaderLine($this->header);
        if ($header !== '' || $this->cookie === null) {
            return $this->verifier->authenticate($header);
        }
        $token = $request->getCookieParams()[$this->cookie] ?? '';
        return $this->verifier->verify(is_string($token) ? $token : '');
    }

    private function unauthorized(TokenException $e): ResponseInterface
    {
        $reason = $e->status === 'token_missing' ? '' : ', error="invalid_token"';
        return $this->answer(401, 'authentication_failed', $e->getMessage())
            ->withHeader('WWW-Authenticate', 'Bearer realm="torii"' . $reason);
    }

    /** Why keys cannot be had is nothing the client should know. */
    private function unavailable(KeysUnavailableException $e): ResponseInterface
    {
        return $this->answer(503, 'keys_unavailable', 'The login cannot be checked at the moment')
            ->withHeader('Retry-After', (string) max(1, $e->retryAfter ?? 1));
    }

    private function answer(int $status, string $code, string $message): ResponseInterface
    {
        $response = $this->responses->createResponse($status)->withHeader('Content-Type', 'application/json');
        $error = ['code' => $code, 'message' => $message];
        $response->getBody()->write(json_encode(['error' => $error], JSON_THROW_ON_ERROR));
        return $response;
    }
}
