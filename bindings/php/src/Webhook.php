<?php

declare(strict_types=1);

namespace Torii;

use DateTimeImmutable;
use DateTimeInterface;
use Torii\Exception\InvalidArgumentException;
use Torii\Exception\InvalidConfigException;
use Torii\Exception\WebhookException;
use TypeError;

/**
 * A webhook that is genuine.
 *
 *     $webhook = Torii\Webhook::verify(file_get_contents('php://input'), getallheaders(), $secret);
 *     echo $webhook->id;
 */
final readonly class Webhook
{
    /** In the order in which the library takes them; the second where none of the first is there. */
    private const HEADERS = [
        ['webhook-id', 'webhook-timestamp', 'webhook-signature'],
        ['svix-id', 'svix-timestamp', 'svix-signature'],
    ];

    /**
     * @param string $id the same each time a webhook is delivered
     * @param DateTimeImmutable $sentAt when it was sent
     * @param int $secretIndex which of the secrets it was signed with
     */
    public function __construct(public string $id, public DateTimeImmutable $sentAt, public int $secretIndex = 0)
    {
    }

    /**
     * Tells whether a webhook is genuine, as Standard Webhooks 1.0.0 says it: signed with one of the
     * secrets, and sent lately. It can be delivered more than once, each time with the same id: remember
     * those of the last minutes if that does harm.
     *
     * @param string $body the body of the request, before anything parsed it
     * @param iterable<string, string|list<string>> $headers those of the request, as getallheaders(), PSR-7,
     *     HttpFoundation or $_SERVER have them: `webhook-id`, `webhook-timestamp` and `webhook-signature` or,
     *     where there is none of these, `svix-id` and so on; case does not matter
     * @param string|list<string> $secrets "whsec_…", several while they are being changed
     * @param int $tolerance seconds before or after now that it may have been sent
     * @param ?DateTimeInterface $now the time, if it is not the system's
     * @throws WebhookException answer 400
     * @throws InvalidConfigException for a secret that is none, by its number
     * @throws InvalidArgumentException
     */
    public static function verify(
        string $body,
        iterable $headers,
        #[\SensitiveParameter] string|array $secrets,
        int $tolerance = 300,
        ?DateTimeInterface $now = null,
    ): self {
        $ffi = Library::ffi();
        $secrets = self::join((array) $secrets);
        [$id, $timestamp, $signature] = self::find($headers);
        $secretIndex = $ffi->new('size_t[1]');
        $sentAt = $ffi->new('int64_t[1]');
        Library::check($ffi->torii_webhook_verify_standard(
            $secrets,
            strlen($secrets),
            $id,
            strlen($id),
            $timestamp,
            strlen($timestamp),
            $signature,
            strlen($signature),
            $body,
            strlen($body),
            $now?->getTimestamp() ?? time(),
            $tolerance,
            $secretIndex,
            $sentAt,
            Library::error(),
        ));
        return new self($id, new DateTimeImmutable("@$sentAt[0]"), $secretIndex[0]);
    }

    /**
     * An empty secret would not count, and a space would be the end of one.
     *
     * @param array<string> $secrets
     */
    private static function join(#[\SensitiveParameter] array $secrets): string
    {
        foreach (array_values($secrets) as $index => $secret) {
            $which = 'secrets: number ' . $index + 1;
            if (!is_string($secret)) {
                throw new TypeError("$which: not a string");
            }
            if ($secret === '' || strpbrk($secret, " \t\n\v\f\r") !== false) {
                throw new InvalidConfigException("$which: empty, or with white space in it", 'invalid_config');
            }
        }
        return implode(' ', $secrets);
    }

    /** @return list<string> id, timestamp and signature; '' is one that is missing */
    private static function find(iterable $headers): array
    {
        $found = [];
        foreach ($headers as $name => $values) {
            // $_SERVER says HTTP_WEBHOOK_ID.
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
