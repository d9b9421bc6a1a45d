<?php

declare(strict_types=1);

namespace Torii\Exception;

use FFI\CData;
use Torii\Library;

/**
 * Why a call failed. The message is one line and holds no token, key or secret, so it can be logged.
 */
abstract class ToriiException extends \RuntimeException
{
    /**
     * @param string $status what went wrong, as in "token_expired": the name in torii.h without TORII_ERR_
     * @param int $answerStatus the HTTP status a server answers its own client because of this
     * @param ?int $httpStatus the HTTP status of the API's answer
     * @param ?string $errorCode what the API calls the problem, for programs
     * @param ?string $supportId what to name to torii's support
     * @param ?string $body the API's answer; unlike the message it may be about people
     * @param ?int $retryAfter seconds after which trying again can help
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
    ) {
        parent::__construct($message, 0, $previous);
    }

    /**
     * The error of the library as an exception; the former is freed.
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
            );
        } finally {
            $ffi->torii_error_free($error);
        }
    }

    /**
     * Statuses a later release adds belong to the class of their range.
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
