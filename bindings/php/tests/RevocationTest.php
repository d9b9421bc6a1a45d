<?php

declare(strict_types=1);

namespace Torii\Tests;

use DateTimeImmutable;
use Nyholm\Psr7\Factory\Psr17Factory;
use Torii\Exception\ClosedException;
use Torii\Exception\InvalidArgumentException;
use Torii\Exception\InvalidConfigException;
use Torii\Exception\TokenException;
use Torii\Verifier;

/** Tokens refused before they expire, and metrics. */
final class RevocationTest extends EmulatorTestCase
{
    private const BANNED = ['revoked' => [['sub' => self::USER, 'before' => 'all']]];
    private const NONE = ['revoked' => []];

    private Verifier $verifier;
    private string $token;
    private string $other;

    protected function setUp(): void
    {
        parent::setUp();
        $this->verifier = $this->torii->verifier(leeway: 0);
        $this->token = $this->token(['sub' => self::USER]);
        $this->other = $this->token(['sub' => 'bob']);
        foreach ([$this->token, $this->token, $this->other] as $token) {
            self::assertNull($this->refusal($token));
        }
    }

    public function testTheNextCallRefusesACachedToken(): void
    {
        $issuedAt = $this->verifier->verify($this->token)->issuedAt;
        $acting = $this->token(['sub' => 'bob', 'act' => ['sub' => self::USER]]);
        $this->verifier->revoke(self::USER, $issuedAt - 1);
        self::assertNull($this->refusal($this->token));
        // A time within a second includes the tokens of this second.
        $this->verifier->revoke(self::USER, new DateTimeImmutable('@' . ($issuedAt - 1) . '.5'));
        self::assertSame('token_revoked', $this->refusal($this->token));
        $this->verifier->revoke(self::USER, 0);
        self::assertSame('token_revoked', $this->refusal($this->token));
        $this->verifier->revoke(self::USER, new DateTimeImmutable());
        self::assertSame(['token_revoked', null], [$this->refusal($acting), $this->refusal($this->other)]);
    }

    public function testEveryTokenOfAUser(): void
    {
        $this->verifier->revokeAll('bob');
        self::assertSame([null, 'token_revoked'], [$this->refusal($this->token), $this->refusal($this->other)]);
    }

    public function testAListIsReplacedOnlyByItself(): void
    {
        $this->verifier->revokeAll('bob');
        foreach ([self::BANNED, json_encode(self::BANNED)] as $list) {
            $this->verifier->setRevocations($list);
            self::assertSame('token_revoked', $this->refusal($this->token));
            $wrong = ['revoked' => [['sub' => self::USER]]];
            self::thrown(InvalidArgumentException::class, fn () => $this->verifier->setRevocations($wrong));
            self::assertSame('token_revoked', $this->refusal($this->token));
            $this->verifier->setRevocations(self::NONE);
            self::assertSame([null, 'token_revoked'], [$this->refusal($this->token), $this->refusal($this->other)]);
        }
    }

    public function testAFile(): void
    {
        $file = tempnam(sys_get_temp_dir(), 'torii-revocations');
        try {
            file_put_contents($file, json_encode(self::NONE));
            $this->verifier = $this->torii->verifier(revocationsFile: $file);
            self::assertNull($this->refusal($this->token));
            foreach ([[self::BANNED, 'token_revoked'], [self::NONE, null]] as [$list, $expected]) {
                file_put_contents($file, json_encode($list));
                for ($deadline = time() + 120; $this->refusal($this->token) !== $expected; usleep(10_000)) {
                    self::assertLessThan($deadline, time());
                }
            }
        } finally {
            unlink($file);
        }
        $missing = fn () => $this->torii->verifier(revocationsFile: $file);
        self::assertStringContainsString(
            'revocations',
            self::thrown(InvalidConfigException::class, $missing)->getMessage(),
        );
    }

    public function testWrongArguments(): void
    {
        foreach ([time() + 3 * 86400, PHP_INT_MIN] as $before) {
            self::thrown(InvalidArgumentException::class, fn () => $this->verifier->revoke(self::USER, $before));
        }
        self::thrown(InvalidArgumentException::class, fn () => $this->verifier->revokeAll(''));
        foreach (['keyCacheDir' => 'key cache directory', 'revocationsFile' => 'revocations file'] as $option => $name) {
            $error = self::thrown(
                InvalidArgumentException::class,
                static fn () => new Verifier('https://acme.torii.so', ...[$option => '']),
            );
            self::assertStringContainsString($name, $error->getMessage());
        }
        $this->verifier->close();
        foreach (
            [
                fn () => $this->verifier->revokeAll(self::USER),
                fn () => $this->verifier->setRevocations(self::NONE),
                fn () => $this->verifier->metrics(),
            ] as $use
        ) {
            self::thrown(ClosedException::class, $use);
        }
    }

    public function testMetrics(): void
    {
        $this->refusal('x');
        $text = $this->verifier->metrics();
        foreach (['TORII_OK' => 3, 'TORII_ERR_TOKEN_MALFORMED' => 1] as $status => $count) {
            self::assertStringContainsString("\ntorii_tokens_total{status=\"$status\"} $count\n", $text);
        }
        self::assertStringEndsWith("# EOF\n", $text);
        self::assertStringNotContainsString($this->issuer, $text);
    }

    public function testTheReadme(): void
    {
        $readme = file_get_contents(__DIR__ . '/../README.md');
        preg_match('/^## Metrics\n\n```php\n(.*?)^```/sm', $readme, $snippet);
        eval($snippet[1]);
        $factory = new Psr17Factory();
        $response = (new \Metrics($this->verifier, $factory))->handle($factory->createServerRequest('GET', '/metrics'));
        self::assertSame([Verifier::METRICS_TYPE], $response->getHeader('Content-Type'));
        // Some time passes in between.
        $timeless = static fn (string $text): string => preg_replace('/^(torii_key_\w+_seconds) .*/m', '$1', $text);
        self::assertSame($timeless($this->verifier->metrics()), $timeless((string) $response->getBody()));
    }

    /** More than the first buffer holds. */
    public function testMetricsOfManyIssuers(): void
    {
        $others = array_map(static fn ($i) => 'http://127.0.0.1:1/' . str_repeat('x', 100) . $i, range(0, 59));
        $this->verifier = $this->torii->verifier(issuers: $others, metricsIssuerLabel: true, fixedBase: true);
        self::assertNull($this->refusal($this->token));
        $text = $this->verifier->metrics();
        foreach ([$this->issuer, ...$others] as $name) {
            self::assertStringContainsString($name, $text);
        }
        self::assertStringEndsWith("# EOF\n", $text);
    }

    private function refusal(string $token): ?string
    {
        try {
            $this->verifier->verify($token);
            return null;
        } catch (TokenException $e) {
            return $e->status;
        }
    }
}
