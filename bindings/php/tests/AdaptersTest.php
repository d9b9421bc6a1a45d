<?php

declare(strict_types=1);

namespace Torii\Tests;

use Nyholm\Psr7\Factory\Psr17Factory;
use PHPUnit\Framework\ExpectationFailedException;
use PHPUnit\Framework\TestCase;

/** The answers of tests/behaviour/adapters.json: in process, and behind nginx and php-fpm. */
final class AdaptersTest extends TestCase
{
    /** nginx before 1.23 sends a repeated header to FastCGI as two parameters, of which PHP sees one. */
    private const HIDDEN_BY_NGINX = [
        'cookie-twice-in-two-headers', 'cookie-twice-in-two-headers-two-users', 'optional-cookie-twice-in-two-headers',
        'header-twice',
    ];

    private static ?FpmServer $server = null;
    private static int $count = 0;

    public static function setUpBeforeClass(): void
    {
        EmulatorTestCase::torii()->reset();
        foreach (Adapters::corpus()['setup'] as $request) {
            EmulatorTestCase::torii()->control('POST', $request['path'], $request['body']);
        }
        self::$server = new FpmServer(['ffi.enable' => 'true', 'opcache.enable' => '0'], [
            'TORII_URL' => EmulatorTestCase::torii()->url,
            'TORII_LIBRARY' => getenv('TORII_LIBRARY'),
        ], 'adapters.php');
    }

    public static function tearDownAfterClass(): void
    {
        self::$server?->stop();
        printf("\nadapters: %d rows\n", self::$count);
    }

    public function testInProcess(): void
    {
        $applications = array_map(
            static fn ($configuration) => new Adapters($configuration, EmulatorTestCase::torii()->url),
            Adapters::corpus()['configurations'],
        );
        $factory = new Psr17Factory();
        $send = static function (array $row, string $path, array $headers, string $body) use ($applications, $factory) {
            $request = $factory->createServerRequest($row['method'], $path)->withBody($factory->createStream($body));
            foreach ($headers as [$name, $value]) {
                $request = $request->withAddedHeader($name, $value);
            }
            $response = $applications[$row['configuration']]->answer($request);
            $headers = array_map(static fn ($values) => implode(', ', $values), $response->getHeaders());
            return [$response->getStatusCode(), array_change_key_case($headers), (string) $response->getBody()];
        };
        $this->runRows($send);
    }

    public function testBehindFpm(): void
    {
        preg_match('~nginx/(\S+)~', (string) shell_exec('nginx -v 2>&1'), $version);
        $send = static fn (array $row, string $path, array $headers, string $body) => self::$server->exchange(
            $row['method'],
            $path,
            $body,
            "Test-Configuration: {$row['configuration']}",
            ...array_map(static fn ($header) => "$header[0]: $header[1]", $headers),
        );
        $this->runRows($send, version_compare($version[1], '1.23', '<') ? self::HIDDEN_BY_NGINX : []);
    }

    /** @param list<string> $hidden */
    private function runRows(callable $send, array $hidden = []): void
    {
        $isOurs = static fn ($row) => in_array('php', $row['only'] ?? ['php'], true)
            && !in_array('php', $row['except'] ?? [], true);
        $rows = array_filter(Adapters::corpus()['rows'], $isOurs);
        self::assertGreaterThanOrEqual(60, count($rows));
        self::$count = count($rows);
        $rows = array_filter($rows, static fn ($row) => !in_array($row['name'], $hidden, true));
        $failures = [];
        foreach ($rows as $row) {
            $used = [];
            $fill = static function (string $text) use (&$used): string {
                return preg_replace_callback('/\{([a-z0-9-]+)\}/', static function ($match) use (&$used) {
                    return $used[] = self::token($match[1]);
                }, $text);
            };
            $headers = array_map(static fn ($header) => [$header[0], $fill($header[1])], $row['headers']);
            $path = $fill($row['path']);
            $body = $fill($row['body'] ?? '');
            try {
                self::check($row, $send($row, $path, $headers, $body), $body, $used);
            } catch (ExpectationFailedException $e) {
                $failures[$row['name']] = $e->getMessage() . $e->getComparisonFailure()?->getDiff();
            }
        }
        self::assertSame([], $failures);
    }

    /**
     * @param array<string, mixed> $row
     * @param array{int, array<string, string>, string} $answer
     * @param list<string> $tokens
     */
    private static function check(array $row, array $answer, string $body, array $tokens): void
    {
        [$status, $headers, $text] = $answer;
        if (in_array($status, $row['server_may_refuse'] ?? [], true)) {
            self::assertArrayNotHasKey('handler-user', $headers);
            return;
        }
        $expected = Adapters::corpus()['answers'][$row['answer']];
        self::assertSame(
            [$expected['status'], $expected['www_authenticate'], $expected['cache_control']],
            [$status, $headers['www-authenticate'] ?? null, $headers['cache-control'] ?? null],
        );
        $pattern = $expected['retry_after'] ? '/^[1-9]\d*$/' : '/^absent$/';
        self::assertMatchesRegularExpression($pattern, $headers['retry-after'] ?? 'absent');
        if ($status === 200) {
            self::assertSame($row['user'] ?? '-', $headers['handler-user'] ?? null);
            self::assertSame($row['method'] === 'HEAD' ? '' : $body, $row['method'] === 'HEAD' ? '' : $text);
            return;
        }
        self::assertArrayNotHasKey('handler-user', $headers);
        $everything = implode(' ', $headers) . $text;
        foreach ($tokens as $token) {
            foreach (array_filter(array_slice(explode('.', $token), 1)) as $part) {
                self::assertStringNotContainsString($part, $everything);
            }
        }
        if ($row['method'] === 'HEAD') {
            return;
        }
        self::assertSame('application/json', $headers['content-type'] ?? null);
        $error = json_decode($text, true);
        self::assertSame(['error'], array_keys($error));
        self::assertSame(['code', 'message'], array_keys($error['error']));
        self::assertSame($expected['code'], $error['error']['code']);
        self::assertNotSame('', $error['error']['message']);
        foreach (Adapters::corpus()['never_in_refusals'] as $never) {
            self::assertStringNotContainsString($never, $text);
        }
    }

    private static function token(string $name): string
    {
        $description = Adapters::corpus()['tokens'][$name];
        if (isset($description['repeat'])) {
            return str_repeat($description['repeat'], $description['times']);
        }
        $mint = self::objects($description['mint']);
        return EmulatorTestCase::torii()->control('POST', "/issuers/{$description['issuer']}/tokens", $mint)['token'];
    }

    /** An empty array would be a list. */
    private static function objects(array $mint): array
    {
        if (($mint['claims'] ?? null) === []) {
            $mint['claims'] = (object) [];
        }
        return $mint;
    }
}
