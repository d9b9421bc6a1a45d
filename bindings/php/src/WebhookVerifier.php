<?php

declare(strict_types=1);

namespace Torii;

use DateTimeImmutable;
use DateTimeInterface;
use FFI;
use Torii\Exception\InvalidArgumentException;
use Torii\Exception\InvalidConfigException;
use Torii\Exception\WebhookException;
use TypeError;

/**
 * Verifies webhooks as Standard Webhooks 1.0.0 describes.
 *
 *     $webhooks = new Torii\WebhookVerifier(getenv('WEBHOOK_SECRET'));
 *     echo $webhooks->verify(file_get_contents('php://input'), getallheaders())->id;
 */
final class WebhookVerifier
{
    /** In the order of the library's arguments; the second set if none of the first is present. */
    private const HEADERS = [
        ['webhook-id', 'webhook-timestamp', 'webhook-signature'],
        ['svix-id', 'svix-timestamp', 'svix-signature'],
    ];

    private readonly FFI $ffi;
    private readonly Handle $handle;

    /**
     * @param string|list<string> $secrets "whsec_…"; several while secrets are being rotated
     * @param ?int $tolerance seconds that a webhook may have been sent before or after now (300)
     * @throws InvalidConfigException for an invalid secret, by its number
     * @throws InvalidArgumentException
     */
    public function __construct(#[\SensitiveParameter] string|array $secrets, ?int $tolerance = null)
    {
        $this->ffi = Library::ffi();
        $secrets = array_values((array) $secrets);
        if ($secrets === []) {
            throw new InvalidConfigException('secrets: none (expected at least one)', 'invalid_config');
        }
        foreach ($secrets as $index => $secret) {
            $this->add($index + 1, $secret);
        }
        if ($tolerance !== null) {
            if ($tolerance < 0 || $tolerance > 0xFFFFFFFF) {
                throw new InvalidArgumentException('tolerance: out of range');
            }
            Library::check($this->ffi->torii_webhook_set_tolerance_seconds(
                $this->handle->pointer,
                $tolerance,
                Library::error(),
            ));
        }
    }

    /**
     * Verifies one webhook. A webhook may be delivered more than once, with the same id: ignore ids you have
     * processed.
     *
     * @param string $body the body of the request as received, before any parsing
     * @param iterable<string, string|list<string>> $headers the headers of the request, from getallheaders(),
     *     PSR-7, HttpFoundation or $_SERVER: `webhook-id`, `webhook-timestamp` and `webhook-signature` or, if
     *     none of these is present, `svix-id` and so on; case does not matter
     * @param ?DateTimeInterface $now the time, instead of the system clock
     * @throws WebhookException answer 400
     */
    public function verify(string $body, iterable $headers, ?DateTimeInterface $now = null): Webhook
    {
        [$id, $timestamp, $signature] = self::find($headers);
        $sentAt = Library::output('int64_t');
        Library::check($this->ffi->torii_webhook_verify(
            $this->handle->pointer,
            $id,
            strlen($id),
            $timestamp,
            strlen($timestamp),
            $signature,
            strlen($signature),
            $body,
            strlen($body),
            $now?->getTimestamp() ?? time(),
            $sentAt,
            Library::error(),
        ));
        return new Webhook($id, new DateTimeImmutable("@$sentAt[0]"));
    }

    private function add(int $number, #[\SensitiveParameter] mixed $secret): void
    {
        if (!is_string($secret)) {
            throw new TypeError("secrets: number $number: not a string");
        }
        try {
            if ($number === 1) {
                $out = Library::output('torii_webhook_t *');
                Library::check($this->ffi->torii_webhook_new($secret, strlen($secret), $out, Library::error()));
                $this->handle = new Handle($out[0], 'torii_webhook_free');
                return;
            }
            Library::check($this->ffi->torii_webhook_add_secret(
                $this->handle->pointer,
                $secret,
                strlen($secret),
                Library::error(),
            ));
        } catch (InvalidConfigException $e) {
            throw new InvalidConfigException("secrets: number $number: {$e->getMessage()}", $e->status);
        }
    }

    /** @return list<string> id, timestamp and signature; '' if missing */
    private static function find(iterable $headers): array
    {
        $found = [];
        foreach ($headers as $name => $values) {
            // The name in $_SERVER is HTTP_WEBHOOK_ID.
            $name = preg_replace('/^http-/', '', strtr(strtolower((string) $name), '_', '-'));
            if (!in_array($name, array_merge(...self::HEADERS), true)) {
                continue;
            }
            foreach ((array) $values as $value) {
                $found[$name][] = is_string($value) ? $value : throw new TypeError("$name: not a string");
            }
        }
        [$names, $others] = self::HEADERS;
        $names = array_intersect_key(array_flip($names), $found) === [] ? $others : $names;
        return array_map(static fn ($name) => implode(', ', $found[$name] ?? []), $names);
    }
}
