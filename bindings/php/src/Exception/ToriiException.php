<?php

declare(strict_types=1);

namespace Torii\Exception;

use FFI\CData;
use Torii\Library;

/**
 * Why a call failed. The message is one line without tokens, keys and secrets, so it can be logged. Send your
 * own clients $publicCode and $publicMessage instead: they must not learn the reason.
 */
abstract class ToriiException extends \RuntimeException
{
    /**
     * @param string $status such as "token_expired": the name in torii.h without TORII_ERR_
     * @param int $answerStatus the HTTP status to answer your own client with
     * @param ?int $httpStatus the HTTP status of the API's answer
     * @param ?string $errorCode the API's error code
     * @param ?string $supportId the id to name to torii's support
     * @param ?string $body the API's answer; unlike the message it may contain personal data
     * @param ?int $retryAfter seconds after which a retry can help, for a Retry-After header
     * @param ?string $publicCode the error code to send to a client, such as "authentication_failed"
     * @param ?string $publicMessage the message to send to a client: a constant for each status
     * @param ?string $wwwAuthenticate the WWW-Authenticate header of a 401 or 403 (RFC 6750)
     * @param ?string $issuer the issuer whose keys are missing
     * @param bool $unsent whether nothing of an API call left this host, so that repeating it is safe
     */
    public function __construct(
        string $message,
        public readonly string $status = 'invalid_argument',
        public readonly int $answerStatus = 500,
        public readonly ?int $httpStatus = null,
        public readonly ?string $errorCode = null,
        public readonly ?string $supportId = null,
        public readonly ?string $body = null,
        public readonly ?int $retryAfter = null,
        ?\Throwable $previous = null,
        public readonly ?string $publicCode = null,
        public readonly ?string $publicMessage = null,
        public readonly ?string $wwwAuthenticate = null,
        public readonly ?string $issuer = null,
        public readonly bool $unsent = false,
    ) {
        parent::__construct($message, 0, $previous);
    }

    /**
     * The error of the library, which is freed, as an exception.
     *
     * @internal
     */
    public static function take(int $status, CData $error): self
    {
        $ffi = Library::ffi();
        $httpStatus = $ffi->torii_error_http_status($error);
        $retryAfter = $ffi->torii_error_retry_after($error);
        $class = self::of($status);
        try {
            return new $class(
                $ffi->torii_error_message($error, null),
                strtolower(substr($ffi->torii_status_name($status), strlen('TORII_ERR_'))),
                $ffi->torii_status_http($status),
                $httpStatus === 0 ? null : $httpStatus,
                $ffi->torii_error_code($error, null),
                $ffi->torii_error_support_id($error, null),
                $ffi->torii_error_body($error, null),
                $retryAfter < 0 ? null : $retryAfter,
                publicCode: $ffi->torii_error_public_code($error, null),
                publicMessage: $ffi->torii_error_public_message($error, null),
                wwwAuthenticate: $ffi->torii_error_www_authenticate($error, null),
                issuer: $ffi->torii_error_issuer($error, null),
                unsent: $ffi->torii_error_unsent($error),
            );
        } finally {
            $ffi->torii_error_free($error);
        }
    }

    /**
     * Statuses of later releases belong to the class of their range.
     *
     * @return class-string<self>
     */
    private static function of(int $status): string
    {
        return match (true) {
            $status === 2 => InvalidConfigException::class,
            $status < 100 => InvalidArgumentException::class,
            $status < 150 => TokenException::class,
            $status < 200 => PolicyException::class,
            $status < 300 => KeysUnavailableException::class,
            $status === 301 => TransportException::class,
            $status === 302 => TimeoutException::class,
            $status === 303 => ResponseException::class,
            $status < 350 => ApiException::class,
            $status < 400 => WebhookException::class,
            default => InternalException::class,
        };
    }
}
