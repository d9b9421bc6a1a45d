# frozen_string_literal: true

require_relative 'test_helper'

# All operations against the local torii, which checks every request against the contract.
class ClientTest < Minitest::Test
  include EmulatorTest

  def setup
    super
    @client = client
  end

  def teardown
    assert_empty torii.control('GET', '/violations')
  end

  def test_users
    created = Time.now
    user = @client.users.create(email: 'ada@example.org', first_name: 'Ada', public_metadata: { snake_case: [1] })
    assert_sent 'POST', '/users', email: 'ada@example.org', firstName: 'Ada', publicMetadata: { snake_case: [1] }
    assert_in_delta created.to_f, user.created_at.to_f, 60
    assert_equal({ 'snake_case' => [1] }, user.public_metadata)
    assert_equal user, @client.users.get(user.id)
    assert_sent 'GET', "/users/#{user.id}"
    assert_equal 'banned', @client.users.ban(user.id).status
    assert_sent 'POST', "/users/#{user.id}/ban"
    assert_equal 'active', @client.users.unban(user.id).status
    assert_sent 'POST', "/users/#{user.id}/unban"
    metadata = { unsafe_metadata: { a: 1 }, public_metadata: { snake_case: nil } }
    assert_equal({}, @client.users.update_metadata(user.id, **metadata).public_metadata)
    assert_sent 'PATCH', "/users/#{user.id}/metadata", unsafeMetadata: { a: 1 }, publicMetadata: { snake_case: nil }
    assert_nil @client.users.delete(user.id)
    assert_sent 'DELETE', "/users/#{user.id}"
  end

  def test_update_sets_clears_and_leaves_alone
    user = @client.users.create(first_name: 'Ada', last_name: 'Byron', locale: 'en')
    changed = @client.users.update(user.id, first_name: 'Augusta', last_name: nil, locale: Torii::UNSET)
    assert_sent 'PATCH', "/users/#{user.id}", firstName: 'Augusta', lastName: nil
    assert_equal ['Augusta', nil, 'en'], [changed.first_name, changed.last_name, changed.locale]
    @client.users.update(user.id)
    assert_sent 'PATCH', "/users/#{user.id}", {}
    seed = @client.users.update(user.id, name: 'Ada', phone: nil)
    assert_sent 'PATCH', "/users/#{user.id}", name: 'Ada', phone: nil
    assert_equal 'Ada', seed.name
    @client.users.update(user.id, 'firstName' => 'Eve', 'odd_name' => 1)
    assert_sent 'PATCH', "/users/#{user.id}", firstName: 'Eve', odd_name: 1
  end

  def test_user_pages
    ids = Array.new(5) { |i| @client.users.create(email: "user#{i}@example.org").id }
    page = @client.users.list(limit: 2, email: 'example.org')
    assert_sent 'POST', '/users/search', { email: 'example.org' }, 'limit=2'
    assert_equal ids.first(2), page.map(&:id)
    assert_predicate page, :more?
    assert_equal ids, page.all.map(&:id)
    assert_sent 'POST', '/users/search', { email: 'example.org' }, "limit=2&cursor=#{ids[3]}"
    assert_equal [2, 2, 1], page.pages.map(&:count)
    assert_nil page.next_page.next_page.next_page
    assert_equal 3, @client.users.list(limit: 3).all.lazy.map(&:id).first(3).size
    @client.users.list
    assert_sent 'POST', '/users/search'
  end

  def test_user_filters
    filter = { name: nil, statuses: ['active'], user_ids: [USER], email_addresses: ['a@example.org'],
               created_after: Time.at(0).utc, organization_id: USER, created_before: Torii::UNSET }
    assert_empty @client.users.list(**filter).items
    assert_sent 'POST', '/users/search', name: nil, statuses: ['active'], userIds: [USER], organizationId: USER,
                                         emailAddresses: ['a@example.org'], createdAfter: '1970-01-01T00:00:00.000000Z'
  end

  def test_sessions
    user = @client.users.create(email: 'ada@example.org')
    first, second = Array.new(2) { torii.control('POST', '/issuers/acme/sessions', { user_id: user.id })['session']['id'] }
    assert_equal [first, second].sort, @client.sessions.list_for_user(user.id).map(&:id).sort
    assert_sent 'GET', "/users/#{user.id}/sessions"
    assert_nil @client.sessions.revoke(user.id, first)
    assert_sent 'DELETE', "/users/#{user.id}/sessions/#{first}"
    assert_equal [second], @client.sessions.list_for_user(user.id).map(&:id)
    assert_nil @client.sessions.revoke_all_for_user(user.id)
    assert_sent 'DELETE', "/users/#{user.id}/sessions"
    assert_empty @client.sessions.list_for_user(user.id)
  end

  def test_organizations
    user = @client.users.create(email: 'ada@example.org')
    id = torii.control('POST', '/issuers/acme/organizations', { name: 'Engines', slug: 'ae' })['id']
    torii.control('POST', "/issuers/acme/organizations/#{id}/members", { user_id: user.id, role: 'org:member' })

    assert_equal [id], @client.organizations.list(limit: 5, name: 'engines').map(&:id)
    assert_sent 'GET', '/organizations', nil, 'limit=5&name=engines'
    assert_equal %w[Engines ae], @client.organizations.get(id).to_h.values_at('name', 'slug')
    assert_sent 'GET', "/organizations/#{id}"
    member = @client.organizations.list_members(id, limit: 1).first
    assert_sent 'GET', "/organizations/#{id}/members", nil, 'limit=1'
    assert_equal [user.id, 'org:member'], [member.user_id, member.role]
    organization = @client.users.list_organizations(user.id, limit: 9).first
    assert_sent 'GET', "/users/#{user.id}/organizations", nil, 'limit=9'
    assert_equal [id, 'Engines'], [organization.organization_id, organization.name]

    assert_equal({ 'a' => 1 }, @client.organizations.update_metadata(id, public_metadata: { a: 1 }).public_metadata)
    assert_sent 'PATCH', "/organizations/#{id}/metadata", publicMetadata: { a: 1 }
    member = @client.organizations.update_member_metadata(id, user.id, private_metadata: { b: 2 })
    assert_sent 'PATCH', "/organizations/#{id}/members/#{user.id}/metadata", privateMetadata: { b: 2 }
    assert_equal({ 'b' => 2 }, member.private_metadata)
  end

  def test_invitations
    invitation = @client.invitations.create(email: 'new@example.org', expires_in_days: 3)
    assert_sent 'POST', '/invitations', email: 'new@example.org', publicMetadata: {}, privateMetadata: {},
                                        expiresInDays: 3
    assert_equal 'PENDING', invitation.status
    page = @client.invitations.list(limit: 7, statuses: %w[PENDING EXPIRED], search: 'new@')
    assert_sent 'GET', '/invitations', nil, 'limit=7&status=PENDING&status=EXPIRED&search=new%40'
    assert_equal [invitation.id], page.map(&:id)
    assert_equal({}, @client.invitations.get(invitation.id).public_metadata)
    assert_sent 'GET', "/invitations/#{invitation.id}"
    changed = @client.invitations.update_metadata(invitation.id, private_metadata: { c: [] })
    assert_sent 'PATCH', "/invitations/#{invitation.id}", privateMetadata: { c: [] }
    assert_equal({ 'c' => [] }, changed.private_metadata)
    assert_equal invitation.id, @client.invitations.resend(invitation.id).id
    assert_sent 'POST', "/invitations/#{invitation.id}/resend"
    assert_nil @client.invitations.revoke(invitation.id)
    assert_sent 'DELETE', "/invitations/#{invitation.id}"
  end

  def test_impersonation
    ada, operator = %w[ada op].map { |name| @client.users.create(email: "#{name}@example.org").id }
    token = @client.impersonation.create_token(ada, actor_user_id: operator, reason: 'asked', expires_in_seconds: 60)
    assert_sent 'POST', "/users/#{ada}/impersonation-token", actorUserId: operator, reason: 'asked',
                                                             expiresInSeconds: 60
    assert_equal 60, token.expires_in_seconds
    refute_includes token.inspect, token.token
  end

  def test_allowed_origins
    assert_equal ['https://shop.example'], @client.allowed_origins.set(['https://shop.example'])
    assert_sent 'PUT', '/allowed-origins', origins: ['https://shop.example']
    assert_equal ['https://shop.example'], @client.allowed_origins.get
    assert_sent 'GET', '/allowed-origins'
  end

  def test_request
    user = @client.request('POST', '/api/server/v1/users', body: { first_name: 'Ada' })
    assert_sent 'POST', '/users', firstName: 'Ada'
    @client.request('GET', '/api/server/v1/organizations', query: { name: 'a b&c', limit: 2 })
    assert_sent 'GET', '/organizations', nil, 'name=a+b%26c&limit=2'
    assert_nil @client.request('DELETE', "/api/server/v1/users/#{user['id']}")
  end

  def test_api_errors
    error = assert_raises(Torii::ApiError) { @client.users.get(USER) }
    assert_equal [:api, 404, 'not_found', 500], [error.status, error.http_status, error.code, error.answer_status]
    assert_equal JSON.parse(error.body)['supportId'], error.support_id
    assert_equal JSON.parse(error.body)['detail'], error.message
    torii.control('PUT', '/issuers/acme/settings', { invitation_quota: 0, retry_after: 7 })
    error = assert_raises(Torii::ApiError) { @client.invitations.create(email: 'a@example.org') }
    assert_equal [429, 7], [error.http_status, error.retry_after]
    stranger = Torii::Client.new('sk_test_wrong', api_url: torii.url)
    assert_equal 401, assert_raises(Torii::ApiError) { stranger.allowed_origins.get }.http_status
  end

  def test_failures_on_the_way
    fault('/api/', times: 1, kind: 'replace', body: 'not JSON')
    error = assert_raises(Torii::ResponseError) { @client.allowed_origins.get }
    assert_equal [:response, 200], [error.status, error.http_status]
    fault('/api/', kind: 'hang')
    assert_raises(Torii::TimeoutError) { client(timeout: 0.2).allowed_origins.get }
    closed = TCPServer.open('127.0.0.1', 0) { |server| server.addr[1] }
    nobody = Torii::Client.new('sk_test_x', api_url: "http://127.0.0.1:#{closed}", max_retries: 0)
    assert_raises(Torii::TransportError) { nobody.allowed_origins.get }
  end

  def test_options
    client(user_agent_suffix: 'shop/1.2').allowed_origins.get
    agent = requests('/api/').last['headers'].to_h['user-agent']
    assert_match(%r{shop/1\.2\z}, agent)
    { api_url: 'nowhere', timeout: 0, connect_timeout: 61, max_retries: 11, ca_file: '/no/such/file',
      proxy: 'nowhere', user_agent_suffix: "a\nb" }.each do |name, value|
      assert_raises(Torii::InvalidArgumentError, name) { Torii::Client.new('sk_test_x', name => value) }
    end
    assert_raises(Torii::InvalidArgumentError) { Torii::Client.new('no key') }
    assert_raises(TypeError) { Torii::Client.new(1) }
    refute_includes @client.inspect, 'sk_test'
  end

  def test_use_after_close
    @client.close
    @client.close
    assert_match(/Client is closed/, assert_raises(Torii::ClosedError) { @client.users.get(USER) }.message)
  end

  private

  # Asserts the last request.
  def assert_sent(method, path, body = nil, query = nil)
    sent = requests('/api/').last
    assert_equal [method, "/api/server/v1#{path}"], sent.values_at('method', 'path')
    assert_equal query.to_s, sent['query'].to_s
    return assert_empty sent['body'].to_s if body.nil?

    assert_equal JSON.parse(JSON.generate(body)), JSON.parse(sent['body'])
  end
end
