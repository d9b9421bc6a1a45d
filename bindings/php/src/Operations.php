<?php

declare(strict_types=1);

namespace Torii;

use Torii\Exception\ClosedException;
use Torii\Exception\InvalidArgumentException;
use Torii\Exception\ToriiException;

/**
 * The operations of the API, by the names of their functions without "torii_client_".
 *
 * @internal
 */
final class Operations
{
    public function __construct(private ?Handle $handle)
    {
    }

    /**
     * @return mixed the answer, its objects as arrays
     * @throws ToriiException
     */
    public function json(string $operation, string|int|null ...$arguments): mixed
    {
        $out = Library::output('torii_json_t *');
        $this->call("{$operation}_json", $arguments, $out);
        return json_decode(Library::takeJson($out[0]), true, flags: JSON_THROW_ON_ERROR);
    }

    /** @throws ToriiException */
    public function nothing(string $operation, string|int|null ...$arguments): void
    {
        $this->call($operation, $arguments);
    }

    public function close(): void
    {
        $this->handle = null;
    }

    /**
     * Passes a number unchanged, and text as pointer and length.
     *
     * @param array<string|int|null> $arguments
     */
    private function call(string $operation, array $arguments, mixed ...$outputs): void
    {
        $handle = $this->handle ?? throw new ClosedException(Client::class);
        $inputs = [];
        foreach ($arguments as $argument) {
            if (is_int($argument)) {
                $inputs[] = $argument >= 0 ? $argument : throw new InvalidArgumentException('limit: negative');
            } else {
                array_push($inputs, $argument, strlen($argument ?? ''));
            }
        }
        $function = "torii_client_$operation";
        $arguments = [$handle->pointer, ...$inputs, ...$outputs, Library::error()];
        Library::check(Library::ffi()->$function(...$arguments));
    }
}
