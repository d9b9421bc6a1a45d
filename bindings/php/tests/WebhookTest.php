<?php

declare(strict_types=1);

namespace Torii\Tests;

use ArrayObject;
use DateTimeImmutable;
use Nyholm\Psr7\ServerRequest;
use PHPUnit\Framework\TestCase;
use Torii\Exception\InvalidArgumentException;
use Torii\Exception\InvalidConfigException;
use Torii\Exception\WebhookException;
use Torii\Webhook;
use Torii\WebhookVerifier;
use TypeError;

final class WebhookTest extends TestCase
{
    private const BODY = '{"type":"user.created"}';

    /** @var array<string, string> */
    private array $headers;

    protected function setUp(): void
    {
        $this->headers = Sender::sign(self::BODY);
    }

    public function testAGenuineWebhook(): void
    {
        $webhook = $this->verify(secrets: [Sender::OTHER, Sender::SECRET]);
        self::assertSame('msg_1', $webhook->id);
        self::assertEquals(new DateTimeImmutable('@' . $this->headers['webhook-timestamp']), $webhook->sentAt);
    }

    public function testErrors(): void
    {
        $e = self::refused('webhook_signature', fn () => $this->verify(body: self::BODY . "\n"));
        self::assertSame([400, null], [$e->answerStatus, $e->httpStatus]);
        self::assertStringContainsString('webhook-signature', $e->getMessage());
        $e = self::refused('webhook_header', fn () => $this->verify([]));
        self::assertSame('webhook-id: missing', $e->getMessage());
        $e = self::refused('webhook_timestamp', fn () => $this->verify(Sender::sign(self::BODY, sent: 1)));
        self::assertStringContainsString('webhook-timestamp', $e->getMessage());
    }

    public function testWhenItWasSent(): void
    {
        $sent = time();
        $headers = Sender::sign(self::BODY, sent: $sent);
        $at = static fn (int $away) => new DateTimeImmutable('@' . $sent + $away);
        foreach ([[300, 300], [-300, 300], [3600, 3600], [0, 0]] as [$away, $tolerance]) {
            self::assertSame('msg_1', $this->verify($headers, now: $at($away), tolerance: $tolerance)->id);
        }
        foreach ([[301, 300], [-301, 300], [1, 0]] as [$away, $tolerance]) {
            $verify = fn () => $this->verify($headers, now: $at($away), tolerance: $tolerance);
            $e = self::refused('webhook_timestamp', $verify);
            self::assertStringContainsString("within $tolerance s", $e->getMessage());
        }
        $e = self::refused('webhook_timestamp', fn () => $this->verify(Sender::sign(self::BODY, sent: $sent - 310)));
        self::assertStringContainsString('within 300 s', $e->getMessage());
        self::assertSame('msg_1', $this->verify(Sender::sign(self::BODY, sent: $sent - 290))->id);
        $last = Sender::sign(self::BODY, sent: PHP_INT_MAX);
        $webhook = $this->verify($last, now: new DateTimeImmutable('@' . PHP_INT_MAX - 5));
        self::assertSame(PHP_INT_MAX, $webhook->sentAt->getTimestamp());
        $this->expectException(InvalidArgumentException::class);
        $this->expectExceptionMessageMatches('/tolerance/');
        $this->verify(tolerance: -1);
    }

    public function testNamesOfHeaders(): void
    {
        $headers = $this->headers;
        $svix = self::renamed($headers, static fn ($name) => str_replace('webhook', 'svix', $name));
        $server = static fn ($name) => 'HTTP_' . strtoupper(strtr($name, '-', '_'));
        $request = new ServerRequest('POST', '/', $headers);
        $several = static function () use ($headers): iterable {
            foreach ($headers + ['Accept' => null, 7 => 'x'] as $name => $value) {
                yield $name => $value;
            }
        };
        $forms = [
            self::renamed($headers, strtoupper(...)),
            self::renamed($headers, ucwords(...)),
            $svix,
            self::renamed($svix, ucwords(...)),
            $headers + ['svix-id' => 'msg_2'],
            $svix + ['webhook-id' => []],
            self::renamed($headers, $server) + $_SERVER,
            self::renamed($svix, $server),
            $request->getHeaders(),
            new ArrayObject($headers),
            $several(),
        ];
        foreach ($forms as $form) {
            self::assertSame('msg_1', $this->verify($form)->id);
        }
        $e = self::refused('webhook_header', fn () => $this->verify($svix + ['webhook-id' => 'msg_1']));
        self::assertSame('webhook-timestamp: missing', $e->getMessage());
        $e = self::refused('webhook_header', fn () => $this->verify($svix + ['Webhook-Signature' => '']));
        self::assertSame('webhook-id: missing', $e->getMessage());
    }

    public function testMissingHeaders(): void
    {
        foreach ($this->headers as $name => $value) {
            foreach ([null, '', []] as $nothing) {
                $headers = [$name => $nothing] + $this->headers;
                $e = self::refused('webhook_header', fn () => $this->verify($headers));
                self::assertSame("$name: missing", $e->getMessage());
            }
        }
    }

    public function testHeadersThatComeTwice(): void
    {
        $signatures = ['v1,AAAA', $this->headers['webhook-signature']];
        self::assertSame('msg_1', $this->verify(['webhook-signature' => $signatures] + $this->headers)->id);
        // The comma that joins them belongs to the first.
        $reversed = ['webhook-signature' => array_reverse($signatures)] + $this->headers;
        self::refused('webhook_signature', fn () => $this->verify($reversed));
        $ids = ['webhook-id' => ['msg_1', 'msg_1']];
        self::refused('webhook_signature', fn () => $this->verify($ids + $this->headers));
        self::refused('webhook_signature', fn () => $this->verify($this->headers + ['Webhook-Id' => 'msg_1']));
        $timestamps = ['webhook-timestamp' => ['1', '1']];
        self::refused('webhook_header', fn () => $this->verify($timestamps + $this->headers));
    }

    public function testWrongSecretsAreNamedByNumber(): void
    {
        $secret = Sender::SECRET;
        $wrong = ['', ' ', "$secret\n", "$secret $secret", "\t$secret", "whsec_\xFF", "$secret\0", 'whsec_AQID'];
        foreach ($wrong as $invalid) {
            try {
                $this->verify(secrets: [Sender::OTHER, $invalid]);
                self::fail("no error for $invalid");
            } catch (InvalidConfigException $e) {
                self::assertSame('invalid_config', $e->status);
                self::assertStringStartsWith('secrets: number 2: ', $e->getMessage());
                self::assertStringNotContainsString('AQID', (string) $e);
            }
        }
        $this->expectException(InvalidConfigException::class);
        $this->verify(secrets: []);
    }

    public function testTexts(): void
    {
        $body = "\0\xFF\xFE" . str_repeat('x', 1 << 20);
        self::assertSame("a\0\xFF", $this->verify(Sender::sign($body, "a\0\xFF"), $body)->id);
        self::assertSame('msg_1', $this->verify(Sender::sign(''), '')->id);
        foreach (["a\0b", "\xFF", str_repeat('x', 1 << 20)] as $odd) {
            $headers = ['webhook-timestamp' => $odd] + $this->headers;
            $e = self::refused('webhook_header', fn () => $this->verify($headers));
            self::assertStringStartsWith('webhook-timestamp: ', $e->getMessage());
        }
    }

    public function testArgumentsOfAnotherType(): void
    {
        $calls = [
            'webhook-id' => fn () => $this->verify(['webhook-id' => 1] + $this->headers),
            'webhook-signature' => fn () => $this->verify(['webhook-signature' => [null]] + $this->headers),
            'secrets: number 1' => fn () => $this->verify(secrets: [1]),
            'headers' => fn () => (new WebhookVerifier(Sender::SECRET))->verify(self::BODY, 'webhook-id'),
            'body' => fn () => (new WebhookVerifier(Sender::SECRET))->verify(['type' => 'user'], $this->headers),
        ];
        foreach ($calls as $name => $call) {
            try {
                $call();
                self::fail("no error for $name");
            } catch (TypeError $e) {
                self::assertStringContainsString($name, $e->getMessage());
            }
        }
    }

    private function verify(
        ?iterable $headers = null,
        string $body = self::BODY,
        string|array $secrets = Sender::SECRET,
        ?int $tolerance = null,
        ?DateTimeImmutable $now = null,
    ): Webhook {
        return (new WebhookVerifier($secrets, $tolerance))->verify($body, $headers ?? $this->headers, $now);
    }

    private static function refused(string $status, callable $verify): WebhookException
    {
        try {
            $verify();
        } catch (WebhookException $e) {
            self::assertSame($status, $e->status);
            return $e;
        }
        self::fail("no $status");
    }

    /**
     * @param array<string, string> $headers
     * @return array<string, string>
     */
    private static function renamed(array $headers, callable $rename): array
    {
        return array_combine(array_map($rename, array_keys($headers)), $headers);
    }
}
