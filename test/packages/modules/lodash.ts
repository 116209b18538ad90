import _ from 'lodash';

export function check() {
  const users = [
    { name: 'Ada', age: 36 },
    { name: 'Grace', age: 85 },
    { name: 'Alan', age: 41 },
  ];
  const byLetter = _.chain(users)
    .groupBy(({ name }) => name[0])
    .mapValues(all => _.sumBy(all, 'age'))
    .value();
  return { byLetter, equal: _.isEqual(_.cloneDeep(users), users), text: _.template('Hi <%= name %>')({ name: 'Ada' }) };
}
