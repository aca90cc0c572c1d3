export default {
  strip: 'Replica {replica}: {role}',
  role: {
    LEADER: 'leader',
    FOLLOWER: 'follower',
    CANDIDATE: 'candidate',
    LEARNER: 'learner',
    UNREACHABLE: 'unreachable',
  },
}
