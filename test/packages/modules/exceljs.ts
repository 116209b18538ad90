import ExcelJS from 'exceljs';

export async function check() {
  const workbook = new ExcelJS.Workbook();
  const sheet = workbook.addWorksheet('Orders');
  sheet.columns = [
    { header: 'Name', key: 'name' },
    { header: 'Price', key: 'price' },
  ];
  sheet.addRow({ name: 'Ada', price: 9.5 });
  const copy = new ExcelJS.Workbook();
  await copy.xlsx.load(await workbook.xlsx.writeBuffer());
  return copy.getWorksheet('Orders')?.getRow(2).values.slice(1);
}
