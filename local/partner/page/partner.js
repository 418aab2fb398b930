// What a partner's page does to connect its users' WhiteBIT accounts through fastkey. Copy from it.

// What the steps of a connection, and its ends, mean to the person who waits.
const TITLES = {
  started: 'Waiting for you to sign in at WhiteBIT',
  consenting: 'Waiting for you to agree at WhiteBIT',
  exchanging: 'WhiteBIT is confirming that you agreed',
  authorized: 'WhiteBIT has confirmed that you agreed',
  detecting: 'Waiting for your key',
  capturing: 'Taking over the key',
  verifying: 'Trying the key',
  closing: 'Clearing up',
  active: 'Connected',
  dead: 'WhiteBIT refuses the key',
  revoking: 'Disconnecting',
  revoked: 'Disconnected',
  denied: 'You declined',
  expired: 'Not finished in time',
  failed: 'Not connected',
  needs_consent: 'Not connected, please try again',
  needs_user_action: 'Something is left for you to do',
}
const SECOND = 1000 // ms
// What has not answered by then does not: API Gateway waits no longer for fastkey.
const PATIENCE = 30 * SECOND
const TIME_TO_COMPLETE = 6 * 60 * SECOND
const STEPS = Object.keys(TITLES)
const HINT = 'If WhiteBIT opened another tab, create the key there.'

const element = (id) => document.getElementById(id)
// Set again, a screen reader would say the same again.
const say = (text) => { if (element('notice').textContent !== text) element('notice').textContent = text }
const pause = () => new Promise((resume) => setTimeout(resume, SECOND))
const path = (connection) => `/connections/${connection.connection_id}`
const date = (text) => new Date(text).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })

// The JWT stays in memory: what is in no storage cannot be taken from there.
let session = null

const request = (url, options) => fetch(url, { ...options, signal: AbortSignal.timeout(PATIENCE) })
  .catch(() => { throw new Error('There was no answer. Please try again.') })

async function call(method, path, body) {
  const headers = { Authorization: `Bearer ${session.token}`, ...(body && { 'Content-Type': 'application/json' }) }
  const answer = await request(session.gateway + path, { method, headers, body: body && JSON.stringify(body) })
  const document = await answer.json()
  // A problem's title (RFC 9457) may be shown to people; API Gateway's own answers have a message.
  if (!answer.ok) throw Object.assign(new Error(document.title ?? document.message), { status: answer.status })
  return document
}

// For what a click begins: whatever goes wrong is said.
const guarded = (act) => async () => {
  say('')
  try {
    await act()
  } catch (problem) {
    say(problem.message)
  }
}

async function begin() {
  session = await (await request('/session')).json()
  element('login').hidden = Boolean(session)
  element('who').hidden = element('accounts').hidden = !session
  element('connections').replaceChildren()
  if (!session) return
  element('user').textContent = session.user
  const missed = await complete().then(() => '', (problem) => problem.message)
  // Only now, so that a reload in between loses nothing: from here on the completion is in no address and no history.
  history.replaceState(null, '', '/')
  say(missed)
  await list().catch((problem) => say(`${missed} ${problem.message}`))
}

// Made as the user who is signed in here and now, this call says that it is this user who consented. If the link was
// somebody else's, fastkey ends that connection and has the key deleted. What may pass is tried again, for as long as
// fastkey waits for it.
async function complete() {
  const query = new URLSearchParams(location.search)
  const completion = query.get('completion')
  if (!completion) return
  const deadline = Date.now() + TIME_TO_COMPLETE
  while (Date.now() < deadline) {
    try {
      return await call('POST', `/connections/${encodeURIComponent(query.get('connection_id'))}/complete`, { completion })
    } catch (problem) {
      if (problem.status < 500 && problem.status !== 429) throw problem
    }
    say('This takes longer than usual. Please keep this page open.')
    await pause()
  }
  throw new Error('The connection could not be completed in time. Unless it is listed as connected, please connect again.')
}

async function list(cursor) {
  const page = await call('GET', cursor ? `/connections?cursor=${encodeURIComponent(cursor)}` : '/connections')
  for (const connection of page.connections) {
    const item = element('connection').content.cloneNode(true).firstElementChild
    element('connections').append(item)
    item.querySelector('.disconnect').onclick = guarded(async () => show(item, await call('DELETE', path(connection))))
    show(item, connection)
  }
  element('older').hidden = !page.next_cursor
  element('older').onclick = guarded(() => list(page.next_cursor))
}

// Only ever textContent: whatever a text holds, it stays a text.
function show(item, connection) {
  const { status, step, detail, access, permissions, key_lives_until: until } = connection
  item.dataset.status = status
  item.querySelector('.title').textContent = TITLES[step] ?? step
  item.querySelector('progress').value = STEPS.indexOf(step) + 1
  item.querySelector('progress').hidden = status !== 'pending'
  const texts = [step === 'detecting' && HINT, detail, until && `Unused, the key dies by ${date(until)}.`]
  item.querySelector('.detail').textContent = texts.filter(Boolean).join(' ')
  item.querySelector('time').textContent = date(connection.created_at)
  const abilities = Object.keys(access).filter((ability) => access[ability])
  item.querySelector('.access').textContent = status === 'active' && abilities.length ? `This platform can ${abilities.join(' and ')}.` : ''
  const chip = (name) => Object.assign(document.createElement('li'), { textContent: name.replaceAll('_', ' ') })
  item.querySelector('.permissions').replaceChildren(...permissions.map(chip))
  const button = item.querySelector('.disconnect')
  button.hidden = !['pending', 'active', 'dead'].includes(status)
  button.textContent = status === 'pending' ? 'Cancel' : 'Disconnect'
  clearTimeout(item.timer)
  if (['pending', 'revoking'].includes(status)) item.timer = setTimeout(look, SECOND, item, connection)
}

async function look(item, connection) {
  // A look that fails is no news: the next one may not.
  const seen = await call('GET', path(connection)).catch(() => connection)
  if (item.isConnected) show(item, seen)
}

element('connect').onclick = guarded(async () => {
  element('connect').disabled = true
  try {
    const started = await call('POST', '/connections', { return_url: `${location.origin}/connected` })
    // The whole page goes, not a frame: people must see in the address bar that it is WhiteBIT to whom they sign in,
    // and fastkey's cookie comes back with nothing less.
    location.assign(started.authorize_url)
  } catch (problem) {
    element('connect').disabled = false
    throw problem
  }
})

element('login').onsubmit = (event) => {
  event.preventDefault()
  guarded(async () => {
    const body = JSON.stringify({ user: element('name').value })
    await request('/login', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body })
    await begin()
  })()
}
element('change-user').onclick = () => { element('login').hidden = false }

// Whoever comes by the back button finds what is true now, and not what was when they left.
addEventListener('pageshow', (event) => { if (event.persisted) location.reload() })

guarded(begin)()
