<?php

declare(strict_types=1);

namespace Torii;

use Closure;
use DateTimeInterface;
use FFI;
use Throwable;
use Torii\Exception\ClosedException;
use Torii\Exception\InvalidArgumentException;
use Torii\Exception\KeysUnavailableException;
use Torii\Exception\PolicyException;
use Torii\Exception\TokenException;
use Torii\Exception\ToriiException;

/**
 * Verifies the tokens of one or several issuers. A verifier created before fork() works in the children,
 * with the keys of the parent. All verifiers of a process share keys, across requests too.
 *
 *     $verifier = new Torii\Verifier('https://acme.torii.so');
 *     echo $verifier->verify($token)->userId;
 */
final class Verifier
{
    private const HEADER = 1;
    private const BUFFER_TOO_SMALL = 3;
    private const REVOKE_ALL = PHP_INT_MAX;

    /** The content type of metrics(). */
    public const METRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

    private readonly FFI $ffi;
    private ?Handle $handle;
    private ?Throwable $clockFailure = null;

    /**
     * Fetches nothing yet. null keeps the library's default.
     *
     * @param string $issuer such as "https://acme.torii.so"
     * @param ?string $jwks the issuer's keys as a JWK Set, instead of fetching them
     * @param list<string>|array<string, ?string> $issuers further issuers, or these with their keys
     * @param list<string> $audiences `aud` must name one of them; empty: a token with `aud` is refused
     * @param ?int $leeway seconds of clock difference to allow (30)
     * @param list<Requirement> $require shorthand for Requirements of flags only
     * @param ?int $keyLifetime the lifetime of fetched keys in seconds, regardless of the issuer's
     * @param ?int $maxStale seconds that keys stay in use while the issuer is unreachable (86400)
     * @param ?float $fetchTimeout seconds for a key fetch (5)
     * @param ?bool $backgroundRefresh whether threads may fetch keys before they expire (true)
     * @param ?int $tokenCacheBytes the size of the verified token cache (8 MiB; 0: off)
     * @param ?string $caFile a PEM file of certificate authorities, instead of the platform's
     * @param ?bool $allowHttp plain http to other hosts: anyone on the path can then forge every token
     * @param ?Closure(): int $clock returns Unix seconds, instead of the system clock
     * @param ?bool $ignoreAudience whether `aud` is ignored
     * @param ?int $maxLifetime the longest lifetime of a token in seconds (0: unlimited)
     * @param ?Requirements $requirements requirements of every token
     * @param ?bool $legacyOrganization whether `org_id` and `org_role` are read where a token has no `o`
     * @param ?string $realm the realm of ToriiException::$wwwAuthenticate ("torii")
     * @param ?string $resourceMetadata its parameter `resource_metadata` (RFC 9728)
     * @param ?string $proxy a proxy for key fetches, such as "http://proxy.example:3128"
     * @param ?bool $fixedBase whether a table for each key, of about 150 KiB, verifies new tokens in less than half
     *     of the time
     * @param ?string $keyCacheDir a directory that keeps fetched keys for the next process. Anyone who can write there
     *     can log in as any user.
     * @param ?string $revocationsFile a file of JSON as setRevocations() takes it, read again when it changes
     * @param ?bool $metricsIssuerLabel whether metrics() names issuers, which may be your tenants
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
        ?bool $backgroundRefresh = null,
        ?int $tokenCacheBytes = null,
        ?string $caFile = null,
        ?bool $allowHttp = null,
        ?Closure $clock = null,
        ?bool $ignoreAudience = null,
        ?int $maxLifetime = null,
        ?Requirements $requirements = null,
        ?bool $legacyOrganization = null,
        ?string $realm = null,
        ?string $resourceMetadata = null,
        #[\SensitiveParameter] ?string $proxy = null,
        ?bool $fixedBase = null,
        ?string $keyCacheDir = null,
        ?string $revocationsFile = null,
        ?bool $metricsIssuerLabel = null,
    ) {
        $options = new Options('verifier');
        $options->optionalText('set_jwks_json', $jwks);
        foreach ($issuers as $further => $keys) {
            [$further, $keys] = is_int($further) ? [$keys, null] : [$further, $keys];
            if ($keys === null) {
                $options->text('add_issuer', $further);
            } else {
                $options->text('add_issuer_jwks', $further, $keys);
            }
        }
        foreach ($audiences as $audience) {
            $options->text('add_audience', $audience);
        }
        $options->value('set_ignore_audience', $ignoreAudience);
        $options->number('set_leeway_seconds', $leeway);
        $options->number('set_max_lifetime_seconds', $maxLifetime);
        $options->value('set_requirements', $requirements?->pointer());
        array_map(static fn (Requirement $each) => $options->number('require', $each->value), $require);
        $options->value('set_legacy_organization', $legacyOrganization);
        $options->optionalText('set_realm', $realm);
        $options->optionalText('set_resource_metadata', $resourceMetadata);
        $options->number('set_key_lifetime_seconds', $keyLifetime);
        $options->number('set_max_stale_seconds', $maxStale);
        $options->milliseconds('set_fetch_timeout_ms', $fetchTimeout);
        $options->value('set_background_refresh', $backgroundRefresh);
        $options->number('set_token_cache_bytes', $tokenCacheBytes, PHP_INT_MAX);
        $options->value('set_fixed_base', $fixedBase);
        $options->optionalText('set_key_cache_dir', $keyCacheDir);
        $options->optionalText('set_revocations_file', $revocationsFile);
        $options->value('set_metrics_issuer_label', $metricsIssuerLabel);
        $options->optionalText('set_ca_file', $caFile);
        $options->optionalText('set_proxy', $proxy);
        $options->value('set_allow_http', $allowHttp);
        $options->value('set_clock', $clock === null ? null : $this->guarded($clock), null);
        $this->handle = $options->make($issuer);
        $this->ffi = Library::ffi();
    }

    /**
     * Verifies a token. Blocks only while keys are fetched.
     *
     * @param ?Requirements $requirements of this call, in addition to the verifier's
     * @throws TokenException
     * @throws PolicyException
     * @throws KeysUnavailableException
     */
    public function verify(#[\SensitiveParameter] string $token, ?Requirements $requirements = null): Auth
    {
        return $this->check($token, 0, $requirements);
    }

    /**
     * Verifies the token in the value of an Authorization header, "Bearer <token>". Join the values of a
     * repeated header with ", ".
     *
     * @param ?Requirements $requirements of this call, in addition to the verifier's
     * @throws TokenException
     * @throws PolicyException
     * @throws KeysUnavailableException
     */
    public function authenticate(#[\SensitiveParameter] string $header, ?Requirements $requirements = null): Auth
    {
        return $this->check($header, self::HEADER, $requirements);
    }

    /**
     * Fetches the keys of every issuer now, for example at startup.
     *
     * @throws KeysUnavailableException
     */
    public function refresh(): void
    {
        $handle = $this->handle();
        Library::check($this->ffi->torii_verifier_refresh($handle->pointer, Library::error()));
    }

    /** @return array<string, mixed> statistics; torii_verifier_stats_json() in torii.h lists the members */
    public function stats(): array
    {
        $out = Library::output('torii_json_t *');
        Library::check($this->ffi->torii_verifier_stats_json($this->handle()->pointer, $out, Library::error()));
        return json_decode(Library::takeJson($out[0]), true, flags: JSON_THROW_ON_ERROR);
    }

    /**
     * Refuses the tokens of a user that were issued at or before a time, in this process. Matches `sub` and the
     * actor. Of two calls the later time counts. Under php-fpm a process serves some requests only: use
     * revocationsFile there.
     *
     * @param DateTimeInterface|int $before Unix seconds, at most one day ahead
     * @throws InvalidArgumentException also with more than 100000 entries
     */
    public function revoke(string $userId, DateTimeInterface|int $before): void
    {
        if ($before instanceof DateTimeInterface) {
            // Rounded up: a time within a second includes the tokens of this second.
            $before = $before->getTimestamp() + ($before->format('u') === '000000' ? 0 : 1);
        }
        $pointer = $this->handle()->pointer;
        Library::check(
            $this->ffi->torii_verifier_revoke($pointer, $userId, strlen($userId), $before, Library::error()),
        );
    }

    /**
     * Refuses every token of a user in this process, those of the future included.
     *
     * @throws InvalidArgumentException
     */
    public function revokeAll(string $userId): void
    {
        $this->revoke($userId, self::REVOKE_ALL);
    }

    /**
     * Replaces the list of an earlier call: `['revoked' => [['sub' => '…', 'before' => 1732550000]]]`, as an array
     * or JSON. `before` may be "all". An empty list lifts these bans; those of revoke() and revocationsFile stay.
     *
     * @param string|array<string, mixed> $list
     * @throws InvalidArgumentException the earlier list then stays
     */
    public function setRevocations(string|array $list): void
    {
        $json = is_string($list) ? $list : json_encode($list, JSON_THROW_ON_ERROR);
        $pointer = $this->handle()->pointer;
        Library::check(
            $this->ffi->torii_verifier_set_revocations_json($pointer, $json, strlen($json), Library::error()),
        );
    }

    /** Metrics as OpenMetrics text, of the content type METRICS_TYPE. */
    public function metrics(): string
    {
        $handle = $this->handle();
        $size = Library::output('size_t');
        for ($room = 8192;; $room = $size[0]) {
            $text = $this->ffi->new("char[$room]");
            $status = $this->ffi->torii_verifier_metrics($handle->pointer, $text, $room, $size, Library::error());
            if ($status === 0) {
                return FFI::string($text, $size[0]);
            }
            // The text can grow between two calls.
            $error = ToriiException::take($status, Library::error()[0]);
            if ($status !== self::BUFFER_TOO_SMALL) {
                throw $error;
            }
        }
    }

    /** Closes the verifier. */
    public function close(): void
    {
        $this->handle = null;
    }

    /** Drops the keys of every issuer, for tests: all verifiers of the process fetch again. */
    public static function clearKeys(): void
    {
        Library::ffi()->torii_jwks_cache_clear();
    }

    private function handle(): Handle
    {
        return $this->handle ?? throw new ClosedException(self::class);
    }

    private function check(#[\SensitiveParameter] string $text, int $how, ?Requirements $requirements): Auth
    {
        // Kept for the call: a clock may close the verifier.
        $handle = $this->handle ?? throw new ClosedException(self::class);
        $call = Call::$idle ?? new Call();
        Call::$idle = null;
        $status = $this->ffi->torii_verify_into(
            $handle->pointer,
            $text,
            strlen($text),
            $how,
            $requirements?->pointer(),
            $call->record,
            $call->capacity,
            $call->size,
            $call->error,
        );
        if ($status !== 0 || $this->clockFailure !== null) {
            return $this->retry($status, $call, $text, $how, $requirements);
        }
        $record = FFI::string($call->record, $call->size[0]);
        Call::$idle = $call;
        return Auth::read($record);
    }

    /** Tries again with a larger buffer, if this is why the call failed. */
    private function retry(
        int $status,
        Call $call,
        #[\SensitiveParameter] string $text,
        int $how,
        ?Requirements $requirements,
    ): Auth {
        try {
            $error = $status === 0 ? null : ToriiException::take($status, $call->error[0]);
            if ($status === self::BUFFER_TOO_SMALL) {
                $call->grow();
            }
        } finally {
            Call::$idle = $call;
        }
        if ($this->clockFailure !== null) {
            [$failure, $this->clockFailure] = [$this->clockFailure, null];
            throw $failure;
        }
        if ($status === self::BUFFER_TOO_SMALL) {
            return $this->check($text, $how, $requirements);
        }
        throw $error;
    }

    /** An exception that leaves a callback would end PHP, so it is kept until the call returns. */
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
