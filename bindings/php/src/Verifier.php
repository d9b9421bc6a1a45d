<?php

declare(strict_types=1);

namespace Torii;

use Closure;
use FFI;
use FFI\CData;
use Throwable;
use Torii\Exception\ClosedException;
use Torii\Exception\InvalidArgumentException;
use Torii\Exception\KeysUnavailableException;
use Torii\Exception\PolicyException;
use Torii\Exception\TokenException;

/**
 * Judges the tokens of one or several issuers. One made before fork() works in the children, with the
 * keys the parent had; keys are shared by all verifiers of a process, over requests too.
 *
 *     $verifier = new Torii\Verifier('https://acme.torii.so');
 *     echo $verifier->verify($token)->userId;
 */
final class Verifier
{
    private readonly FFI $ffi;
    private readonly CData $auth;
    private ?Handle $handle;
    private ?Throwable $clockFailure = null;

    /**
     * Nothing is fetched yet. What is null keeps the default of the library.
     *
     * @param string $issuer as in "https://acme.torii.so"
     * @param ?string $jwks the issuer's keys as a JWK Set, instead of having them fetched
     * @param list<string>|array<string, ?string> $issuers further issuers, or these with their keys
     * @param list<string> $audiences what `aud` has to name one of; empty: `aud` is ignored
     * @param ?int $leeway seconds by which clocks may differ (30)
     * @param list<Requirement> $require
     * @param ?int $keyLifetime seconds keys last, whatever the issuer says
     * @param ?int $maxStale seconds keys stay in use when they cannot be fetched (86400)
     * @param ?float $fetchTimeout seconds fetching keys may take (5)
     * @param bool $backgroundRefresh whether a thread may fetch keys before they are needed
     * @param ?int $verdictCacheBytes memory for verdicts on good tokens (8 MiB)
     * @param ?string $caFile a PEM file of the authorities to trust instead of the platform's
     * @param bool $allowHttp plain http to other hosts: anyone on the way can then forge logins
     * @param ?Closure(): int $clock gives Unix seconds instead of the system's clock
     * @throws InvalidArgumentException
     */
    public function __construct(
        string $issuer,
        ?string $jwks = null,
        array $issuers = [],
        array $audiences = [],
        ?int $leeway = null,
        array $require = [],
        ?int $keyLifetime = null,
        ?int $maxStale = null,
        ?float $fetchTimeout = null,
        bool $backgroundRefresh = true,
        ?int $verdictCacheBytes = null,
        ?string $caFile = null,
        bool $allowHttp = false,
        ?Closure $clock = null,
    ) {
        $options = new Options('verifier');
        $options->optionalText('set_jwks_json', $jwks);
        foreach ($issuers as $further => $keys) {
            [$further, $keys] = is_int($further) ? [$keys, null] : [$further, $keys];
            $options->text('add_issuer', $further);
            $options->optionalText('set_jwks_json', $keys);
        }
        foreach ($audiences as $audience) {
            $options->text('add_audience', $audience);
        }
        $options->number('set_leeway', $leeway);
        array_map(static fn (Requirement $each) => $options->number('require', $each->value), $require);
        $options->number('set_key_lifetime', $keyLifetime);
        $options->number('set_max_stale', $maxStale);
        $options->milliseconds('set_fetch_timeout_ms', $fetchTimeout);
        $options->value('set_background_refresh', $backgroundRefresh);
        $options->size('set_verdict_cache_bytes', $verdictCacheBytes);
        $options->optionalText('set_ca_file', $caFile);
        $options->value('set_allow_http', $allowHttp);
        $options->value('set_clock', $clock === null ? null : $this->guarded($clock), null);
        $this->handle = $options->make($issuer);
        $this->ffi = Library::ffi();
        $this->auth = Library::output('torii_auth_t');
    }

    /**
     * Judges a token. Blocks only when keys have to be fetched.
     *
     * @throws TokenException
     * @throws PolicyException
     * @throws KeysUnavailableException
     */
    public function verify(#[\SensitiveParameter] string $token): Auth
    {
        $handle = $this->handle();
        return $this->auth($this->ffi->torii_verify_token(
            $handle->pointer,
            $token,
            strlen($token),
            $this->auth,
            Library::error(),
        ));
    }

    /**
     * Judges the token in the value of an Authorization header, "Bearer <token>".
     *
     * @throws TokenException
     * @throws PolicyException
     * @throws KeysUnavailableException
     */
    public function authenticate(#[\SensitiveParameter] string $header): Auth
    {
        $handle = $this->handle();
        return $this->auth($this->ffi->torii_verifier_authenticate(
            $handle->pointer,
            $header,
            strlen($header),
            $this->auth,
            Library::error(),
        ));
    }

    /**
     * Fetches the keys of every issuer now, to warm up.
     *
     * @throws KeysUnavailableException
     */
    public function refresh(): void
    {
        $handle = $this->handle();
        Library::check($this->ffi->torii_verifier_refresh($handle->pointer, Library::error()));
    }

    /** @return array<string, mixed> what the verifier has done so far */
    public function stats(): array
    {
        $out = Library::output('torii_json_t');
        Library::check($this->ffi->torii_verifier_stats_json($this->handle()->pointer, $out, Library::error()));
        return json_decode(Library::takeJson($out[0]), true, flags: JSON_THROW_ON_ERROR);
    }

    /** Ends the use of the verifier. */
    public function close(): void
    {
        $this->handle = null;
    }

    /** Forgets the keys of every issuer: all verifiers of the process fetch them anew. For tests. */
    public static function clearKeys(): void
    {
        Library::ffi()->torii_jwks_cache_clear();
    }

    private function handle(): Handle
    {
        return $this->handle ?? throw new ClosedException(self::class);
    }

    private function auth(int $status): Auth
    {
        try {
            Library::check($status);
            return $this->copy($this->auth[0]);
        } finally {
            if ($this->clockFailure !== null) {
                [$failure, $this->clockFailure] = [$this->clockFailure, null];
                throw $failure;
            }
        }
    }

    /** Copies what the handle holds, and frees it. No text it lends holds U+0000, so PHP has them whole. */
    private function copy(CData $auth): Auth
    {
        $ffi = $this->ffi;
        try {
            return new Auth(
                $ffi->torii_auth_user_id($auth, null),
                $ffi->torii_auth_environment_id($auth, null),
                $ffi->torii_auth_issuer($auth, null),
                $ffi->torii_auth_locale($auth, null),
                $ffi->torii_auth_email_verified($auth),
                $ffi->torii_auth_profile_complete($auth),
                $ffi->torii_auth_impersonating($auth),
                $ffi->torii_auth_issued_at($auth),
                $ffi->torii_auth_expires_at($auth),
                $ffi->torii_auth_claims_json($auth, null),
            );
        } finally {
            $ffi->torii_auth_free($auth);
        }
    }

    /** PHP ends when an exception leaves a callback, so it is kept for after the call. */
    private function guarded(Closure $clock): Closure
    {
        $failure = &$this->clockFailure;
        return static function () use ($clock, &$failure): int {
            try {
                return $clock();
            } catch (Throwable $e) {
                $failure = $e;
                return 0;
            }
        };
    }
}
