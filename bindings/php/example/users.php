<?php

// Lists the users of an environment: TORII_SECRET_KEY=sk_test_… php example/users.php

declare(strict_types=1);

require getenv('AUTOLOAD') ?: __DIR__ . '/../vendor/autoload.php';

$client = new Torii\Client(getenv('TORII_SECRET_KEY'), getenv('TORII_API_URL') ?: null);
foreach ($client->users->list(limit: 100)->all() as $user) {
    echo "$user->id $user->email\n";
}
