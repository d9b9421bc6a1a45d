<?php

declare(strict_types=1);

namespace Torii\Tests;

use PHPUnit\Framework\TestCase;
use Torii\Auth;
use Torii\Call;
use Torii\Exception\InternalException;
use Torii\Exception\ToriiException;
use Torii\Library;
use Torii\Requirement;
use Torii\Verifier;

/** The package's declarations are those of torii.h. */
final class HeaderTest extends TestCase
{
    private const CLASSES = [
        'INVALID_ARGUMENT' => 'InvalidArgument', 'INVALID_CONFIG' => 'InvalidConfig', 'BUFFER' => 'InvalidArgument',
        'TOKEN' => 'Token', 'POLICY' => 'Policy', 'KEYS' => 'KeysUnavailable', 'API' => 'Api',
        'TRANSPORT' => 'Transport', 'TIMEOUT' => 'Timeout', 'RESPONSE' => 'Response', 'WEBHOOK' => 'Webhook',
        'INTERNAL' => 'Internal',
    ];

    public function testFunctions(): void
    {
        $expected = self::functions(self::header());
        self::assertGreaterThan(100, count($expected));
        self::assertSame($expected, self::functions(self::ours()));
    }

    public function testTypes(): void
    {
        $types = static function (string $header): array {
            preg_match_all('/typedef [^;{]*(?:\{[^}]*\})?[^;]*;/', $header, $found);
            return array_map(static fn ($type) => preg_replace('/\s+/', ' ', $type), $found[0]);
        };
        self::assertNotEmpty($types(self::header()));
        self::assertSame($types(self::header()), $types(self::ours()));
    }

    public function testNumbers(): void
    {
        $defined = static function (string $name): int {
            self::assertSame(1, preg_match("/define $name (\d+)/", self::header(), $match), $name);
            return (int) $match[1];
        };
        self::assertSame(Library::ABI_VERSION, $defined('TORII_ABI_VERSION'));
        self::assertSame(Call::MAX_CAPACITY, $defined('TORII_RECORD_MAX'));
        $flags = self::numbers('TORII_REQUIRE_');
        self::assertSame(array_values($flags), array_column(Requirement::cases(), 'value'));
        $names = array_map(
            static fn ($name) => strtoupper(preg_replace('/(?<!^)[A-Z]/', '_$0', $name)),
            array_column(Requirement::cases(), 'name'),
        );
        self::assertSame(array_keys($flags), $names);
        $constant = static fn ($name) => (new \ReflectionClassConstant(Verifier::class, $name))->getValue();
        self::assertSame(self::numbers('TORII_VERIFY_')['HEADER'], $constant('HEADER'));
        self::assertSame(self::numbers('TORII_ERR_')['BUFFER_TOO_SMALL'], $constant('BUFFER_TOO_SMALL'));
    }

    public function testEveryStatusHasItsClass(): void
    {
        $of = new \ReflectionMethod(ToriiException::class, 'of');
        $statuses = self::numbers('TORII_ERR_');
        self::assertGreaterThan(25, count($statuses));
        foreach ($statuses as $name => $number) {
            $prefixes = array_filter(array_keys(self::CLASSES), static fn ($prefix) => str_starts_with($name, $prefix));
            $class = 'Torii\Exception\\' . self::CLASSES[reset($prefixes)] . 'Exception';
            self::assertSame($class, $of->invoke(null, $number), $name);
        }
    }

    public function testTheLayoutOfARecord(): void
    {
        $sizes = ['uint32_t' => 4, 'int64_t' => 8, 'torii_span_t' => 8];
        preg_match('/typedef struct \{([^}]*)\} torii_record_t;/', self::header(), $struct);
        preg_match_all('/(\w+) (\w+(?:, \w+)*);/', $struct[1], $lines, PREG_SET_ORDER);
        $offsets = $texts = [];
        $size = 0;
        foreach ($lines as [, $type, $names]) {
            foreach (explode(', ', $names) as $name) {
                $offsets[$name] = $size;
                $size += $sizes[$type];
                if ($type === 'torii_span_t') {
                    $texts[] = $name;
                }
            }
        }
        $record = str_repeat("\0", $size);
        $put = static function (string $name, string $value) use (&$record, $offsets): void {
            $record = substr_replace($record, $value, $offsets[$name], strlen($value));
        };
        foreach ($texts as $name) {
            $put($name, pack('L2', strlen($record), strlen($name)));
            $record .= "$name\0";
        }
        $put('size', pack('L', strlen($record)));
        $put('header_size', pack('L', $size));
        $put('flags', pack('L', 9));
        $put('issued_at', pack('q', -1));
        $put('expires_at', pack('q', 1 << 40));
        $auth = Auth::read($record);
        foreach ($texts as $name) {
            self::assertSame($name, $auth->{lcfirst(str_replace('_', '', ucwords($name, '_')))});
        }
        self::assertSame(
            [9, true, false, true, -1, 1 << 40],
            [$auth->flags, $auth->emailVerified, $auth->profileComplete, $auth->impersonating, $auth->issuedAt,
                $auth->expiresAt],
        );
        $put('header_size', pack('L', $size - 1));
        $this->expectException(InternalException::class);
        Auth::read($record);
    }

    private static function header(): string
    {
        return self::withoutComments(getenv('TORII_HEADER'));
    }

    private static function ours(): string
    {
        return self::withoutComments(__DIR__ . '/../include/torii-ffi.h');
    }

    private static function withoutComments(string $file): string
    {
        return preg_replace(['~/\*.*?\*/~s', '~//.*~'], '', file_get_contents($file));
    }

    /** @return array<string, string> result and parameters by name */
    private static function functions(string $header): array
    {
        $header = preg_replace(['/^\s*#.*(\\\\\n.*)*$/m', '/\b(TORII_API|TORII_NODISCARD)\b/'], '', $header);
        preg_match_all('/^\s*(\w[\w ]*?[ *]+)(torii_\w+)\((.*?)\);/ms', $header, $found, PREG_SET_ORDER);
        $functions = [];
        foreach ($found as [, $result, $name, $parameters]) {
            $functions[$name] = trim(preg_replace('/\s+/', ' ', "$result($parameters)"));
        }
        return $functions;
    }

    /** @return array<string, int> by the rest of the name */
    private static function numbers(string $prefix): array
    {
        preg_match_all("/^\s+$prefix(\w+) = (\d+)/m", self::header(), $found);
        return array_combine($found[1], array_map(intval(...), $found[2]));
    }
}
