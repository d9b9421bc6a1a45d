<?php

declare(strict_types=1);

namespace App\Http\Middleware;

use Closure;
use Illuminate\Http\JsonResponse;
use Illuminate\Http\Request;
use Psr\Log\LoggerInterface;
use Symfony\Component\HttpFoundation\Response;
use Torii\Auth;
use Torii\Exception\KeysUnavailableException;
use Torii\Exception\PolicyException;
use Torii\Exception\TokenException;
use Torii\Exception\ToriiException;
use Torii\Requirements;
use Torii\Verifier;

/** "torii" requires a valid access token; "torii:admin" also the requirements of that name in config/torii.php. */
final class AuthenticateWithTorii
{
    public function __construct(private Verifier $verifier, private LoggerInterface $log)
    {
    }

    public function handle(Request $request, Closure $next, ?string $name = null): Response
    {
        // An unknown name is an error of the program, and refuses the request.
        $requirements = $name === null ? null : new Requirements(...config('torii.requirements')[$name]);
        try {
            $auth = $this->verifier->authenticate($request->header('Authorization', ''), $requirements);
        } catch (TokenException | PolicyException | KeysUnavailableException $e) {
            $this->log->warning("{$request->path()}: {$e->getMessage()}");
            return self::refusal($e);
        }
        $request->attributes->set(Auth::class, $auth);
        return $next($request);
    }

    /** The client does not learn the reason; the log does. */
    private static function refusal(ToriiException $e): Response
    {
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
