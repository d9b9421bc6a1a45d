<?php

declare(strict_types=1);

namespace App\Security;

use Psr\Container\ContainerInterface;
use Psr\Log\LoggerInterface;
use Symfony\Component\HttpFoundation\JsonResponse;
use Symfony\Component\HttpFoundation\Request;
use Symfony\Component\HttpFoundation\Response;
use Symfony\Component\Security\Core\Authentication\Token\TokenInterface;
use Symfony\Component\Security\Core\Exception\AuthenticationException;
use Symfony\Component\Security\Core\User\InMemoryUser;
use Symfony\Component\Security\Http\Authenticator\AbstractAuthenticator;
use Symfony\Component\Security\Http\Authenticator\Passport\Badge\UserBadge;
use Symfony\Component\Security\Http\Authenticator\Passport\Passport;
use Symfony\Component\Security\Http\Authenticator\Passport\SelfValidatingPassport;
use Torii\Exception\KeysUnavailableException;
use Torii\Exception\PolicyException;
use Torii\Exception\TokenException;
use Torii\Verifier;

/**
 * Requires a valid access token for every request of its firewall. The route default "_torii" names requirements, see
 * config/services.yaml. A controller gets the identity as its argument $auth.
 */
final class ToriiAuthenticator extends AbstractAuthenticator
{
    public function __construct(
        private Verifier $verifier,
        private ContainerInterface $requirements,
        private LoggerInterface $logger,
    ) {
    }

    public function supports(Request $request): ?bool
    {
        return true;
    }

    public function authenticate(Request $request): Passport
    {
        $name = $request->attributes->get('_torii');
        // An unknown name is an error of the program, and refuses the request.
        $requirements = $name === null ? null : $this->requirements->get($name);
        try {
            $auth = $this->verifier->authenticate($request->headers->get('Authorization', ''), $requirements);
        } catch (TokenException | PolicyException | KeysUnavailableException $e) {
            throw new AuthenticationException($e->publicMessage, 0, $e);
        }
        $request->attributes->set('auth', $auth);
        $user = new InMemoryUser($auth->userId, null, ['ROLE_USER']);
        return new SelfValidatingPassport(new UserBadge($auth->userId, fn () => $user));
    }

    public function onAuthenticationSuccess(Request $request, TokenInterface $token, string $firewallName): ?Response
    {
        return null;
    }

    /** The client does not learn the reason; the log does. */
    public function onAuthenticationFailure(Request $request, AuthenticationException $exception): Response
    {
        $e = $exception->getPrevious();
        $this->logger->warning("{$request->getPathInfo()}: {$e->getMessage()}");
        $error = ['code' => $e->publicCode, 'message' => $e->publicMessage];
        $response = new JsonResponse(['error' => $error], $e->answerStatus, ['Cache-Control' => 'no-store']);
        if ($e->wwwAuthenticate !== null) {
            $response->headers->set('WWW-Authenticate', $e->wwwAuthenticate);
        }
        if ($e->answerStatus === 503) {
            $response->headers->set('Retry-After', (string) max(1, $e->retryAfter));
        }
        return $response;
    }
}
